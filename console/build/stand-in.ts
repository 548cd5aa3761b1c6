// For `npm run dev` alone: plays the console server's sessions and its relay before the API of a running `paifang up`.
// PAIFANG_API is its address (https://127.0.0.1:6443), PAIFANG_CONSOLE instead that of a whole console to stand before.
import { randomBytes } from 'node:crypto'
import { request as ask } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connect, Plugin } from 'vite'

interface Session {
  token: string
  user: string
  csrf: string
}

const sessions = new Map<string, Session>()
const RELAYED = /^\/(api|apis|openapi|version)(\/|\?|$)/

export function standIn(): Plugin {
  return {
    name: 'stand-in',
    apply: 'serve',
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => void server.middlewares.use(handle),
  }
}

const handle: Connect.NextHandleFunction = (request, response, next) => {
  const path = request.url ?? '/'
  const whole = process.env.PAIFANG_CONSOLE
  if (whole && (RELAYED.test(path) || path.startsWith('/console/'))) return relay(whole, request, response, request.headers)
  if (path === '/console/login') return void login(request, response)
  const session = sessionOf(request)
  if (path === '/console/session') return session ? json(response, 200, saidOf(session)) : json(response, 401, { reason: 'NotSignedIn', message: 'sign in' })
  if (path === '/console/oidc') return json(response, 200, { enabled: false, name: '' })
  if (path === '/console/logout') {
    sessions.delete(cookie(request))
    return json(response, 204, undefined)
  }
  if (path.startsWith('/console/')) return json(response, 404, { reason: 'NotFound', message: 'the stand-in does not have this' })
  if (!RELAYED.test(path)) return next()
  if (!session) return json(response, 401, { reason: 'NotSignedIn', message: 'sign in' })
  if (!['GET', 'HEAD'].includes(request.method ?? '') && request.headers['x-csrf-token'] !== session.csrf) return json(response, 403, { reason: 'Csrf', message: 'no token' })
  const { accept, 'content-type': type } = request.headers
  relay(api(), request, response, { authorization: `Bearer ${session.token}`, ...(accept && { accept }), ...(type && { 'content-type': type }) })
}

const api = () => process.env.PAIFANG_API ?? 'https://127.0.0.1:6443'

function relay(to: string, request: IncomingMessage, response: ServerResponse, headers: IncomingMessage['headers']) {
  const onward = ask(new URL(request.url ?? '/', to), { method: request.method, headers, rejectUnauthorized: false }, (answer) => {
    const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...headers } = answer.headers
    response.writeHead(answer.statusCode ?? 502, headers)
    response.flushHeaders()
    answer.pipe(response)
  })
  onward.on('error', () => (response.headersSent ? response.destroy() : json(response, 502, { reason: 'NoApi', message: 'the API does not answer' })))
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

async function login(request: IncomingMessage, response: ServerResponse) {
  const body = await text(request)
  const onward = ask(new URL('/login', api()), { method: 'POST', headers: { 'content-type': 'application/json' }, rejectUnauthorized: false }, async (answer) => {
    const told = JSON.parse(await text(answer)) as { token?: string; reason?: string; message?: string }
    if (!told.token) {
      const reason = answer.statusCode === 401 ? 'WrongCredentials' : answer.statusCode === 400 ? 'WeakPassword' : answer.statusCode === 429 ? 'TooManyAttempts' : told.reason
      return json(response, answer.statusCode ?? 502, { reason, message: told.message, retryAfterSeconds: Number(answer.headers['retry-after'] ?? 30) })
    }
    const id = randomBytes(32).toString('hex')
    const session = { token: told.token, user: String(JSON.parse(body).username), csrf: randomBytes(16).toString('hex') }
    sessions.set(id, session)
    response.setHeader('set-cookie', `paifang=${id}; HttpOnly; SameSite=Strict; Path=/`)
    json(response, 200, saidOf(session))
  })
  onward.on('error', () => json(response, 502, { reason: 'NoApi', message: 'the API does not answer' }))
  onward.end(body)
}

const saidOf = ({ user, csrf }: Session) => ({ user, displayName: user, csrf, expires: new Date(Date.now() + 43_200_000).toISOString(), mode: 'up' })
const cookie = (request: IncomingMessage) => /(?:^|; )paifang=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
const sessionOf = (request: IncomingMessage) => sessions.get(cookie(request))

async function text(stream: IncomingMessage): Promise<string> {
  let all = ''
  for await (const part of stream) all += String(part)
  return all
}

function json(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
