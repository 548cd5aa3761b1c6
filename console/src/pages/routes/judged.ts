// What the API says now of routes whose warnings may be over: a dry run of what is there already.
import { useMemo } from 'react'
import { useQueries } from '@tanstack/react-query'
import { KINDS } from '../../api/kinds'
import { attempt } from '../../api/objects'
import type { Event, Ingress } from '../../api/types'
import { doubtful, warningsByObject } from './problems'

/** As many are asked about; the others are judged by when they were written. */
const MOST = 20

export function useJudged(routes: readonly Ingress[], events: readonly Event[], may: boolean): ReadonlyMap<string, string[]> {
  const asked = useMemo(() => (may ? doubtful(routes, warningsByObject(events)).slice(0, MOST) : []), [routes, events, may])
  // Plain lists, which keep their identity while they are the same.
  const said = useQueries({
    queries: asked.map((it) => ({ queryKey: ['judged', it.metadata.uid, it.metadata.resourceVersion], queryFn: ({ signal }: { signal: AbortSignal }) => attempt(KINDS.ingress, it, it, signal), retry: false, staleTime: Infinity })),
    combine: (answers) => answers.map(({ data }) => data?.warnings ?? null),
  })
  return useMemo(() => new Map(asked.flatMap((it, index) => (said[index] ? [[it.metadata.uid ?? '', said[index]] as const] : []))), [asked, said])
}
