// Cluster settings → Gateway settings: the one for everybody, and those of all projects.
import { useMemo } from 'react'
import { Link } from '@tanstack/react-router'
import { useAllServing } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useMay } from '../../api/rights'
import type { IngressGateway } from '../../api/types'
import { isTracing } from '../../forms/gateway'
import { Card, Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useWords } from '../../words'
import { GatewayFacts } from './card'
import { gatewayState } from './state'

const BASE = '/cluster/gateways'

export function ClusterGateways() {
  const { t } = useWords()
  const may = useMay('list', KINDS.ingressGateway)
  const live = useLive<IngressGateway>(KINDS.ingressGateway, may === false ? undefined : '')
  const { data } = useAllServing(may === true)
  const shared = (data ?? []).filter((it) => it.scope === 'Cluster')
  const columns = useColumns()
  return (
    <Page title={t('cluster.title')} about={t('cluster.about')} crumbs={[{ text: t('nav.platform') }]} actions={<Command text="kubectl get igw --all-namespaces" />}>
      <div className="stack">
        {shared.map((serving) => (
          <Card key={serving.name} title={t('gateway.ofCluster')} extra={<Link to={`${BASE}/${serving.namespace}/${serving.name}`}>{t('do.view')}</Link>}>
            <GatewayFacts serving={serving} />
          </Card>
        ))}
        <h2>{t('cluster.requested')}</h2>
        <ObjectTable label={t('cluster.requested')} live={live} columns={columns} empty={<Nothing title={t('cluster.none')}>{t('cluster.noneAbout')}</Nothing>} />
      </div>
    </Page>
  )
}

function useColumns(): Column<IngressGateway>[] {
  const { t } = useWords()
  return useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<Link to={`${BASE}/${it.metadata.namespace}/${it.metadata.name}`}>{it.metadata.name}</Link>} />, by: (it) => it.metadata.name },
      { key: 'project', title: t('nav.project'), cell: (it) => <Link to={`/projects/${it.metadata.namespace}/gateways`}>{it.metadata.namespace}</Link>, by: (it) => it.metadata.namespace ?? '' },
      { key: 'state', title: t('table.state'), cell: (it) => <GatewayWord gateway={it} /> },
      { key: 'access', title: t('gateway.access'), cell: (it) => it.spec.access?.type ?? 'NodePort', by: (it) => it.spec.access?.type ?? '', wide: true },
      { key: 'address', title: t('gateway.address'), cell: (it) => <span className="mono">{it.status?.addresses?.map((one) => one.value).join(', ') || '—'}</span> },
      { key: 'ports', title: t('gateway.ports'), cell: (it) => it.status?.ports?.map((port) => port.reachedAt).join(' / ') || '—', wide: true },
      { key: 'replicas', title: t('gateway.replicas'), cell: (it) => `${it.status?.readyReplicas ?? 0} / ${it.status?.replicas ?? 0}`, wide: true },
      { key: 'tracing', title: t('gateway.tracing'), cell: (it) => t(isTracing(it.spec) ? 'state.on' : 'state.off'), wide: true },
      ageColumn(t('meta.created')),
    ],
    [t],
  )
}

function GatewayWord({ gateway }: { gateway: IngressGateway }) {
  const { t } = useWords()
  const { tone, word, message } = gatewayState(gateway)
  return (
    <State tone={tone} {...(message && { title: message })}>
      {t(word)}
    </State>
  )
}
