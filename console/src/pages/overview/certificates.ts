// When certificates end: those that do soon are problems.
import { useQueries } from '@tanstack/react-query'
import { ask } from '../../api/client'
import type { Certificate } from '../../api/console'
import type { Secret } from '../../api/types'

const DAY = 86_400_000
/** Days within which one should have another. */
export const SOON = 30
/** Days beyond which nobody counts them. */
export const LONG = 3650
/** As many are read: each is a question. */
const MOST = 200

export interface Ending {
  namespace: string
  name: string
  /** Until it ends; below zero once it has. `null` where it cannot be read. */
  days: number | null
  problem?: string | undefined
}

export const daysUntil = (notAfter: string | undefined, now = Date.now()) => (notAfter ? Math.floor((Date.parse(notAfter) - now) / DAY) : null)

/** The next to end first. */
export function useEndings(secrets: readonly Secret[]): Ending[] {
  return useQueries({
    queries: secrets.slice(0, MOST).map(({ metadata: { namespace = '', name, resourceVersion } }) => ({
      queryKey: ['certificate', namespace, name, resourceVersion],
      queryFn: () => ask<Certificate>('/console/certificate', { method: 'POST', body: { namespace, name, hosts: [] } }),
      retry: false,
      staleTime: Infinity,
    })),
    combine: (answers) =>
      answers
        .flatMap(({ data }, index): Ending[] => {
          const { namespace = '', name = '' } = secrets[index]?.metadata ?? {}
          return data ? [{ namespace, name, days: daysUntil(data.notAfter), problem: data.problem }] : []
        })
        .sort((a, b) => (a.days ?? -1) - (b.days ?? -1)),
  })
}

/** Those that need somebody. */
export const isUrgent = ({ days, problem }: Ending) => problem !== undefined || (days !== null && days <= SOON)
