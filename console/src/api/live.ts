// One kept list for each path, whoever looks at it, in the cache that all pages share.
import { QueryClient, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { ApiError, ask, open } from './client'
import { listPath, type Kind } from './kinds'
import type { List, Obj } from './types'
import { keep, withQuery, type Snapshot, type Source } from './watch'

/** How long a list is kept after the last page that showed it. */
const LINGER = 20_000

export const client = new QueryClient({
  defaultOptions: {
    queries: { retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500), refetchOnWindowFocus: false, staleTime: 30_000 },
  },
})

const source: Source = {
  list: (path, signal) => ask<List<Obj>>(path, { signal }),
  watch: async function* (path, signal) {
    const body = (await open(path, { signal })).body
    if (!body) return
    yield ''
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      yield value
    }
  },
  pause: (milliseconds, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
    }),
}

interface Feed {
  holders: number
  ending: AbortController
  first: Promise<Snapshot>
  leaving?: ReturnType<typeof setTimeout>
}

const feeds = new Map<string, Feed>()
const keyFor = (path: string) => ['live', path] as const

function start(path: string): Feed {
  const ending = new AbortController()
  const first = new Promise<Snapshot>((resolve, reject) => {
    let shown = false
    const publish = (state: Snapshot) => {
      client.setQueryData(keyFor(path), state)
      shown = true
      resolve(state)
    }
    keep(path, source, publish, ending.signal).catch((error: unknown) => {
      if (feeds.get(path)?.ending === ending) feeds.delete(path)
      reject(error as Error)
      // What one may no longer see goes away, and whoever looks asks again: the refusal stands in its place.
      if (shown) void client.resetQueries({ queryKey: keyFor(path), exact: true })
    })
  })
  first.catch(() => undefined)
  const feed = { holders: 0, ending, first }
  feeds.set(path, feed)
  return feed
}

const feedOf = (path: string) => feeds.get(path) ?? start(path)

function hold(path: string) {
  const feed = feedOf(path)
  feed.holders += 1
  clearTimeout(feed.leaving)
  return () => {
    feed.holders -= 1
    if (feed.holders > 0) return
    feed.leaving = setTimeout(() => {
      feed.ending.abort()
      if (feeds.get(path) === feed) feeds.delete(path)
      client.removeQueries({ queryKey: keyFor(path) })
    }, LINGER)
  }
}

/** Forgets everything: somebody else may sign in. */
export function forget() {
  for (const feed of feeds.values()) feed.ending.abort()
  feeds.clear()
  client.clear()
}

export interface Live<T> {
  objects: readonly T[]
  loading: boolean
  error: ApiError | null
  stale?: ApiError | undefined
}

const NONE: readonly never[] = []

/** All objects of a kind, kept up to date. `undefined` as namespace waits; `''` is all namespaces. */
export function useLive<T extends Obj>(kind: Kind, namespace: string | undefined, query: Record<string, string> = {}): Live<T> {
  const path = Object.keys(query).length > 0 ? withQuery(listPath(kind, namespace), query) : listPath(kind, namespace)
  const wanted = namespace !== undefined
  useEffect(() => (wanted ? hold(path) : undefined), [path, wanted])
  const { data, error, isPending } = useQuery({ queryKey: keyFor(path), queryFn: () => feedOf(path).first, staleTime: Infinity, gcTime: Infinity, enabled: wanted, retry: false })
  return { objects: (data?.objects ?? NONE) as readonly T[], loading: wanted && isPending, error: error as ApiError | null, stale: data?.stale }
}

/** One object of a kept list; `null` when it is not there. */
export function useOne<T extends Obj>(kind: Kind, namespace: string | undefined, name: string): Live<T> & { object: T | null } {
  const live = useLive<T>(kind, namespace)
  const object = useMemo(() => live.objects.find((it) => it.metadata.name === name) ?? null, [live.objects, name])
  return { ...live, object }
}
