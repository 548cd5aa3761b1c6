// Asking the console's server, which asks the Kubernetes API as who is signed in.

/** What a refusal says: of Kubernetes' Status, or of the console's own errors. */
export interface Cause {
  field?: string
  reason?: string
  message?: string
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    readonly causes: Cause[] = [],
    readonly retryAfter?: number,
    /** What finds it out elsewhere. */
    readonly command?: string,
  ) {
    super(message)
  }
}

interface Said {
  reason?: string
  message?: string
  retryAfterSeconds?: number
  command?: string
  details?: { causes?: Cause[]; retryAfterSeconds?: number }
}

let csrf = ''
const endings = new Set<() => void>()
const warnings = new Set<(text: string) => void>()

export const holdCsrf = (token: string) => void (csrf = token)
/** Called when the server no longer knows the session. */
export const onSessionEnd = (then: () => void) => listen(endings, then)
/** Called with each `Warning` that the API sends beside an answer. */
export const onWarning = (then: (text: string) => void) => listen(warnings, then)

function listen<T>(all: Set<T>, one: T) {
  all.add(one)
  return () => void all.delete(one)
}

export interface Ask {
  method?: string
  body?: unknown
  contentType?: string
  signal?: AbortSignal
  /** Takes the `Warning`s in the place of those who listen. */
  warned?: (text: string) => void
}

/** The answer, or an `ApiError`. */
export async function open(path: string, { method = 'GET', body, contentType = 'application/json', signal, warned }: Ask = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  if (method !== 'GET') headers['Content-Type'] = contentType
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' }
  if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body)
  if (signal) init.signal = signal
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'NoAnswer', String(error))
  }
  if (!response.ok) throw await refusal(response, path)
  const warning = response.headers.get('Warning')
  if (warning) for (const text of readWarnings(warning)) (warned ? warned(text) : warnings.forEach((then) => then(text)))
  return response
}

export async function ask<T>(path: string, options: Ask = {}): Promise<T> {
  const response = await open(path, options)
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function refusal(response: Response, path: string): Promise<ApiError> {
  const said = (await response.json().catch(() => ({}))) as Said
  if (response.status === 401 && path !== '/console/login') endings.forEach((then) => then())
  // An API server says this of paths it has never heard of, and says it in plain text.
  if (response.status === 404 && !said.reason && /^\/apis?\//.test(path)) return new ApiError(404, 'NoKind', '', [], undefined, 'paifang crds | kubectl apply --server-side -f -')
  const retry = said.retryAfterSeconds ?? said.details?.retryAfterSeconds
  return new ApiError(response.status, said.reason ?? 'Unknown', said.message ?? response.statusText, said.details?.causes ?? [], retry, said.command)
}

/** The texts of a `Warning` header: `299 - "text", 299 - "text"`. */
export function readWarnings(header: string): string[] {
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((found) => (found[1] ?? '').replace(/\\(.)/g, '$1'))
}
