// A list that stays true: read in pages, then kept by a watch. One event changes one object and reads no list again.
//
// Invariant: between a list and the end of its watch, an object that did not change keeps its identity, so its row is not drawn again.
import { ApiError } from './client'
import type { List, Obj } from './types'

export interface Source {
  list: (path: string, signal: AbortSignal) => Promise<List<Obj>>
  /** The lines of a watch, in pieces as they arrive; an empty one says that it stands. */
  watch: (path: string, signal: AbortSignal) => AsyncIterable<string>
  pause: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

export interface Snapshot {
  objects: readonly Obj[]
  /** Why it is not kept up to date just now. */
  stale?: ApiError
}

interface Line {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: Obj & { code?: number; reason?: string; message?: string }
}

const PAGE = 500
const LONGEST_PAUSE = 15_000
const EXPIRED = 410

/** Runs until it is aborted or the API refuses for good; calls `publish` with each new state. */
export async function keep(path: string, source: Source, publish: (state: Snapshot) => void, signal: AbortSignal): Promise<void> {
  const known = new Known()
  let version: string | undefined
  let [failures, stale] = [0, false]
  const say = () => {
    stale = false
    publish({ objects: known.objects() })
  }
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = await readAll(path, source, known, signal)
        say()
      }
      for await (const batch of lines(source.watch(withQuery(path, watchQuery(version)), signal))) {
        failures = 0
        for (const line of batch) version = known.take(line) ?? version
        if (known.changed() || stale) say()
      }
    } catch (error) {
      if (signal.aborted) return
      const refusal = error instanceof ApiError ? error : new ApiError(0, 'NoAnswer', String(error))
      if (refusal.status === EXPIRED) {
        version = undefined
        continue
      }
      if (isFinal(refusal)) throw refusal
      stale = true
      publish({ objects: known.objects(), stale: refusal })
      failures += 1
    }
    // A watch that ends at once, again and again, must not become a storm.
    await source.pause(failures === 0 ? 50 : Math.min(LONGEST_PAUSE, 250 * 2 ** failures), signal).catch(() => undefined)
  }
}

const isFinal = (refusal: ApiError) => [401, 403, 404].includes(refusal.status)
const watchQuery = (version: string) => ({ watch: '1', resourceVersion: version, allowWatchBookmarks: 'true' })

async function readAll(path: string, source: Source, known: Known, signal: AbortSignal): Promise<string> {
  const all: Obj[] = []
  let after: string | undefined
  let version = ''
  do {
    const query: Record<string, string> = { limit: String(PAGE) }
    if (after) query.continue = after
    const page = await source.list(withQuery(path, query), signal)
    all.push(...page.items)
    version = page.metadata?.resourceVersion ?? version
    after = page.metadata?.continue
  } while (after)
  known.replace(all)
  return version
}

export function withQuery(path: string, query: Record<string, string>): string {
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`
}

async function* lines(pieces: AsyncIterable<string>): AsyncGenerator<Line[]> {
  let rest = ''
  for await (const piece of pieces) {
    const parts = (rest + piece).split('\n')
    rest = parts.pop() ?? ''
    const batch = parts.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Line)
    if (batch.length > 0 || piece === '') yield batch
  }
}

class Known {
  #byKey = new Map<string, Obj>()
  #drawn: readonly Obj[] = []
  #dirty = true

  replace(all: Obj[]) {
    const next = new Map<string, Obj>()
    for (const one of all) {
      const before = this.#byKey.get(keyOf(one))
      next.set(keyOf(one), before && before.metadata.resourceVersion === one.metadata.resourceVersion ? before : one)
    }
    this.#byKey = next
    this.#dirty = true
  }

  /** Takes in one line, and says up to which version the watch has come. */
  take({ type, object }: Line): string | undefined {
    if (type === 'ERROR') throw new ApiError(object.code ?? 500, object.reason ?? 'Unknown', object.message ?? '')
    if (type === 'DELETED') this.#byKey.delete(keyOf(object))
    else if (type !== 'BOOKMARK') this.#byKey.set(keyOf(object), object)
    this.#dirty ||= type !== 'BOOKMARK'
    return object.metadata.resourceVersion
  }

  changed = () => this.#dirty

  objects(): readonly Obj[] {
    if (this.#dirty) this.#drawn = [...this.#byKey.values()]
    this.#dirty = false
    return this.#drawn
  }
}

export const keyOf = ({ metadata }: Obj) => `${metadata.namespace ?? ''}/${metadata.name}`
