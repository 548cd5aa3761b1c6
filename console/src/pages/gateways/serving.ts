// Which gateways serve a project: its own, kept by a watch, and those it shares, as the server tells.
import { useMemo } from 'react'
import { useTold, type Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import type { IngressGateway } from '../../api/types'
import { servingOf } from './state'

export interface Served {
  /** Best first. */
  serving: Serving[]
  /** Whether these are all. */
  known: boolean
  /** Why they are not. */
  error: Error | null
}

export function useServing(project: string): Served {
  const own = useLive<IngressGateway>(KINDS.ingressGateway, project || undefined)
  const { told, error } = useTold(project)
  return useMemo(() => {
    const mine = own.objects.filter((it) => it.status?.conditions?.some((one) => one.type === 'Accepted' && one.status === 'True')).map(servingOf)
    const nodes = (it: Serving) => told?.find((one) => one.namespace === it.namespace && one.name === it.name)?.nodes ?? it.nodes
    const shared = (told ?? []).filter((it) => it.scope !== 'Project')
    return { serving: [...mine.map((it) => ({ ...it, nodes: nodes(it) })), ...shared], known: told !== undefined && !own.loading, error }
  }, [own.objects, own.loading, told, error])
}
