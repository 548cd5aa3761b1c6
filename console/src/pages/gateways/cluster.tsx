// Cluster settings → Gateway settings: the one for everybody, and those of all projects.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { EditOutlined, EyeOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { useAllServing, type Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useMay, useRights, type Rights } from '../../api/rights'
import type { IngressGateway } from '../../api/types'
import { EMPTY_GATEWAY, isTracing } from '../../forms/gateway'
import { Card, Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { NameCell, ObjectTable, type Column } from '../../parts/table'
import { useWords } from '../../words'
import { GatewayCard, GatewayFacts, useGatewayActions } from './card'
import { GatewayDialog } from './dialog'
import { gatewayState, servingOf } from './state'
import { Actions } from '../../parts/menu'

const BASE = '/cluster/gateways'
/** Where that of everybody is asked for. */
const HOME = 'kubesphere-system'

export function ClusterGateways() {
  const { t } = useWords()
  const may = useMay('list', KINDS.ingressGateway)
  const live = useLive<IngressGateway>(KINDS.ingressGateway, '')
  const { data } = useAllServing(may === true)
  const rights = useRights(HOME)
  const shared = live.objects.filter((it) => it.spec.scope === 'Cluster')
  const others = useMemo(() => ({ ...live, objects: live.objects.filter((it) => it.spec.scope !== 'Cluster') }), [live])
  const columns = useColumns()
  return (
    <Page title={t('cluster.title')} about={t('cluster.about')} crumbs={[{ text: t('nav.cluster') }]} actions={<Command text="kubectl get igw --all-namespaces" />}>
      <div className="stack">
        {shared.map((it) => (
          <GatewayCard key={it.metadata.uid} gateway={it} rights={rights} base={BASE} />
        ))}
        {shared.length === 0 && data?.filter((it) => it.scope === 'Cluster').map((it) => <Standing key={it.name} serving={it} rights={rights} />)}
        <h2 className="section">{t('cluster.requested')}</h2>
        <ObjectTable label={t('cluster.requested')} live={others} columns={columns} menu={(it) => <RowMenu gateway={it} />} empty={<Nothing title={t('cluster.none')}>{t('cluster.noneAbout')}</Nothing>} />
      </div>
    </Page>
  )
}

/** The gateway of everybody while nobody has said how it is to be. */
function Standing({ serving, rights }: { serving: Serving; rights: Rights }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  return (
    <Card
      title={
        <span className="row">
          {t('gateway.ofCluster')} {serving.addresses.length > 0 ? <State tone="good">{t('gateway.running')}</State> : <State tone="warn">{t('gateway.pending')}</State>}
        </span>
      }
      extra={
        <span className="row">
          <Button icon={<EyeOutlined aria-hidden />} onClick={() => void navigate({ to: `${BASE}/${serving.namespace}/${serving.name}` })}>
            {t('do.view')}
          </Button>
          {rights.can('create', KINDS.ingressGateway) && (
            <Button icon={<EditOutlined aria-hidden />} onClick={() => setEditing(true)}>
              {t('do.edit')}
            </Button>
          )}
        </span>
      }
    >
      <GatewayFacts serving={serving} />
      {editing && <GatewayDialog namespace={HOME} scope="Cluster" begin={{ ...EMPTY_GATEWAY, type: serving.type, tracing: serving.tracing ?? false }} onClose={() => setEditing(false)} />}
    </Card>
  )
}

function RowMenu({ gateway }: { gateway: IngressGateway }) {
  const rights = useRights(gateway.metadata.namespace ?? '')
  const { actions, dialogs } = useGatewayActions(gateway, rights)
  return (
    <>
      <Actions of={actions} label={`${gateway.metadata.namespace}/${gateway.metadata.name}`} />
      {dialogs}
    </>
  )
}

function useColumns(): Column<IngressGateway>[] {
  const { t } = useWords()
  return useMemo(
    () => [
      {
        key: 'name',
        title: t('table.name'),
        cell: (it) => (
          <>
            <NameCell object={it} link={<Link to={`${BASE}/${it.metadata.namespace}/${it.metadata.name}`}>{it.status?.workload?.name ?? it.metadata.name}</Link>} />
            <Owner gateway={it} />
          </>
        ),
        by: (it) => it.status?.workload?.name ?? it.metadata.name,
      },
      { key: 'state', title: t('table.state'), cell: (it) => <GatewayWord gateway={it} /> },
      { key: 'access', title: t('gateway.access'), cell: (it) => it.spec.access?.type ?? 'NodePort', by: (it) => it.spec.access?.type ?? '', wide: true },
      { key: 'address', title: t('gateway.address'), cell: (it) => <span className="mono">{it.status?.addresses?.map((one) => one.value).join(', ') || '—'}</span>, wide: true },
      { key: 'ports', title: t('gateway.ports'), cell: (it) => <span className="whole">{servingOf(it).ports.map((port) => port.reachedAt).join(' / ') || '—'}</span>, wide: true },
      { key: 'replicas', title: t('gateway.replicas'), cell: (it) => <span className="whole">{`${it.status?.readyReplicas ?? 0} / ${it.status?.replicas ?? 0}`}</span>, wide: true },
      { key: 'tracing', title: t('gateway.tracing'), cell: (it) => t(isTracing(it.spec) ? 'state.on' : 'state.off'), wide: true },
    ],
    [t],
  )
}

/** Whose it is. */
function Owner({ gateway: { metadata, spec } }: { gateway: IngressGateway }) {
  const { t } = useWords()
  const [word, to, name] = spec.scope === 'Workspace' ? ([t('workspaces.one'), `/workspaces/${spec.workspace}`, spec.workspace] as const) : ([t('nav.project'), `/projects/${metadata.namespace}/gateways`, metadata.namespace] as const)
  return (
    <div className="faint in-text">
      {word} <Link to={to}>{name}</Link>
    </div>
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
