// How an HTTPRoute, a TLSRoute or a VirtualService is reached, by the Gateways that it names.
import { useMemo } from 'react'
import { useQueries } from '@tanstack/react-query'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { get } from '../../api/objects'
import { useRights } from '../../api/rights'
import type { IngressGateway, Loose, Service } from '../../api/types'
import { Loading, Nothing } from '../../parts/basics'
import { fill, useWords, type Language } from '../../words'
import { useTell, type Tell } from '../../words/messages'
import { chineseOf } from '../../words/reasons'
import { GatewayMissing, GatewayRefuses, GatewayUnseen, NoAddress, NoAddressYet, NoListenerOfGateway, NoServerOfGateway, ParentIsNoGateway } from '../../words/reasons.json'
import { useServing } from '../gateways/serving'
import { Access } from '../routes/access'
import type { Said } from './parents'
import { parentsOf, waysOf } from './ways'

const ENGLISH = { GatewayMissing, GatewayRefuses, GatewayUnseen, NoAddress, NoAddressYet, NoListenerOfGateway, NoServerOfGateway, ParentIsNoGateway }

const tell = ({ reason, values }: Said, language: Language, sentence: Tell) => (language === 'zh' ? chineseOf(reason, values, sentence) : undefined) ?? fill(ENGLISH[reason].english, values)

export function OtherAccess({ object }: { object: Loose }) {
  const { t, language } = useWords()
  const sentence = useTell()
  const project = object.metadata.namespace ?? ''
  const rights = useRights(project)
  const requested = useLive<IngressGateway>(KINDS.ingressGateway, rights.can('list', KINDS.ingressGateway) ? project : undefined)
  const services = useLive<Service>(KINDS.service, rights.can('list', KINDS.service) ? project : undefined)
  const { serving, known, error } = useServing(project)
  const { parents, loading } = useParents(object, project)
  const ways = useMemo(() => waysOf(object, { parents, serving, requested: requested.objects, services: services.objects }), [object, parents, serving, requested.objects, services.objects])
  if (loading || !rights.known || services.loading || (!known && !error)) return <Loading />
  if (ways.length === 0) return <div className="card"><Nothing title={t('others.noWay')}>{t('others.noWayAbout')}</Nothing></div>
  return <Access ways={ways.map(({ said, ...it }) => ({ ...it, note: said && tell(said, language, sentence) }))} />
}

/** The Gateways that it names: those of its project by their list, others one by one, as far as they may be seen. */
function useParents(object: Loose, project: string) {
  const kind = object.kind === 'VirtualService' ? KINDS.istioGateway : KINDS.gateway
  const own = useLive<Loose>(kind, project)
  const elsewhere = useMemo(() => parentsOf(object).filter((it) => !it.startsWith(`${project}/`)), [object, project])
  const found = useQueries({
    queries: elsewhere.map((it) => {
      const [namespace = '', name = ''] = it.split('/')
      return { queryKey: ['parent', kind.group, it], queryFn: () => get<Loose>(kind, name, namespace), retry: false, refetchInterval: 15_000 }
    }),
    combine: (answers) => ({ objects: answers.map(({ data }) => data ?? null), loading: answers.some((it) => it.isPending) }),
  })
  return useMemo(() => {
    const all = [...own.objects, ...found.objects.filter((it) => it !== null)]
    return { parents: new Map(all.map((it) => [`${it.metadata.namespace ?? ''}/${it.metadata.name}`, it])), loading: own.loading || found.loading }
  }, [own.objects, own.loading, found])
}
