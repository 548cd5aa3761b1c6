// A gateway: monitoring, options, logs, what runs it, metadata, events.
import { Button, Table } from 'antd'
import { ColumnHeightOutlined } from '@ant-design/icons'
import { useNavigate } from '@tanstack/react-router'
import { ApiError } from '../../api/client'
import { useOptionHints } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useOne } from '../../api/live'
import { useMay, useRights } from '../../api/rights'
import type { IngressGateway } from '../../api/types'
import { gatewayTitle } from '../../forms/gateway'
import { Card, Loading, Note, Nothing, Page, State, Trouble, type Crumb } from '../../parts/basics'
import { Command } from '../../parts/command'
import { Conditions, DetailTabs, Events, Metadata, type Tab } from '../../parts/details'
import { Actions } from '../../parts/menu'
import { useParam } from '../../shell/params'
import { useWords, type Say } from '../../words'
import { Said, Ticked } from '../../words/said'
import { GatewayFacts, Remarks, useGatewayActions } from './card'
import { Logs } from './logs'
import { Monitoring } from './monitoring'
import { gatewayState, scopeWord, servingOf } from './state'
import { useServing } from './serving'

export function GatewayDetail() {
  const { t } = useWords()
  const navigate = useNavigate()
  const [project, namespace, name] = [useParam('project'), useParam('namespace'), useParam('name')]
  const rights = useRights(namespace)
  const mayGet = useMay('get', KINDS.ingressGateway, namespace, name)
  const { object, loading } = useOne<IngressGateway>(KINDS.ingressGateway, rights.can('list', KINDS.ingressGateway) ? namespace : undefined, name)
  const { serving, known } = useServing(project || 'default')
  const back = project ? `/projects/${project}/gateways` : '/cluster/gateways'
  const { actions, dialogs, open } = useGatewayActions(object, rights, () => void navigate({ to: back }))
  const shown = object ? servingOf(object) : serving.find((it) => it.namespace === namespace && it.name === name)
  const crumbs = [...(project ? [{ text: project, to: `/projects/${project}` }] : [{ text: t('nav.cluster') }]), { text: t(project ? 'gateways.title' : 'cluster.title'), to: back }]
  // Known by the address alone.
  if (mayGet === false) return <Page title={name} crumbs={crumbs}><Trouble error={new ApiError(403, 'Forbidden', '')} /></Page>
  if (!rights.known || ((loading || !known) && !shown)) return <Loading />
  if (!shown) return <Gone crumbs={crumbs} name={name} />
  const state = object && gatewayState(object)
  const title = object ? gatewayTitle(object) : t(scopeWord(shown.scope))
  const mayScale = rights.can('patch', KINDS.ingressGateway)
  return (
    <Page
      title={title}
      crumbs={crumbs}
      about={object && t('gateway.whose', { what: t(scopeWord(object.spec.scope)), name: `${namespace}/${name}` })}
      beside={state && <State tone={state.tone}>{t(state.word)}</State>}
      actions={
        <>
          <Command text={object ? `kubectl get igw ${name} -n ${namespace} -o yaml` : 'paifang get gateways'} />
          <Actions of={actions} label={name} text={t('do.manage')} />
        </>
      }
    >
      <div className="stack">
        {state?.message && <Note tone={state.tone === 'bad' ? 'bad' : 'warn'}><p><Said of={state.message} /></p></Note>}
        {object && <Remarks gateway={object} />}
        <Card>
          <GatewayFacts serving={shown} {...(object && { gateway: object })} />
        </Card>
        <DetailTabs tabs={[{ key: 'monitoring', label: t('gateway.monitoring'), children: <Monitoring namespace={namespace} name={name} /> }, ...(object ? objectTabs(object, t, mayScale ? () => open('scale') : undefined) : []), { key: 'logs', label: t('gateway.logs'), children: <Logs namespace={namespace} name={name} /> }].sort(inOrder)} />
      </div>
      {dialogs}
    </Page>
  )
}

function Gone({ crumbs, name }: { crumbs: Crumb[]; name: string }) {
  const { t } = useWords()
  return (
    <Page title={name} crumbs={crumbs}>
      <div className="card">
        <Nothing title={t('gateway.gone')}>{t('gateway.goneAbout')}</Nothing>
      </div>
    </Page>
  )
}

const ORDER = ['monitoring', 'options', 'logs', 'status', 'metadata', 'events']
const inOrder = (a: Tab, b: Tab) => ORDER.indexOf(a.key) - ORDER.indexOf(b.key)

function objectTabs(object: IngressGateway, t: Say, onScale: (() => void) | undefined): Tab[] {
  return [
    { key: 'options', label: t('gateway.options'), children: <Options gateway={object} /> },
    { key: 'status', label: t('gateway.status'), children: <Status gateway={object} onScale={onScale} /> },
    { key: 'metadata', label: t('meta.title'), children: <Metadata object={object} /> },
    { key: 'events', label: t('events.title'), children: <Events of={object} /> },
  ]
}

function Options({ gateway }: { gateway: IngressGateway }) {
  const { t, language } = useWords()
  const hints = useOptionHints()
  const rows = Object.entries(gateway.spec.config ?? {})
  if (rows.length === 0)
    return (
      <div className="card">
        <Nothing title={t('gateway.noOptions')}>{t('gateway.noOptionsAbout')}</Nothing>
      </div>
    )
  const about = (key: string) => {
    const hint = hints.find((it) => it.name === key)
    if (hints.length === 0) return null
    if (!hint || hint.support === 'no') return <State tone="warn">{t('entries.ignored')}</State>
    return (
      <span className="soft">
        {hint.support === 'partly' && <b>{t('entries.partly')} </b>}
        {hint.about && <Ticked>{hint.about[language]}</Ticked>}
      </span>
    )
  }
  return (
    <Card bare>
      <Table
        size="middle"
        rowKey={([key]) => key}
        pagination={false}
        dataSource={rows}
        columns={[
          { title: t('entries.key'), render: (_, [key]) => <code>{key}</code> },
          { title: t('entries.value'), render: (_, [, value]) => <code className="wrap">{value}</code> },
          { title: t('entries.meaning'), render: (_, [key]) => about(key), responsive: ['md'] },
        ]}
      />
    </Card>
  )
}

function Status({ gateway: { status, spec }, onScale }: { gateway: IngressGateway; onScale: (() => void) | undefined }) {
  const { t, maybe } = useWords()
  return (
    <div className="stack">
      <Card title={t('conditions.title')} bare>
        <Conditions of={status?.conditions} />
      </Card>
      <Card title={t('gateway.ports')} bare>
        <Table size="small" rowKey="name" pagination={false} dataSource={status?.ports ?? []} columns={[{ title: t('table.name'), dataIndex: 'name' }, { title: t('gateway.port'), dataIndex: 'port' }, { title: t('gateway.nodePort'), render: (_, it) => it.nodePort ?? '—' }, { title: t('gateway.reachedAt'), render: (_, it) => it.reachedAt ?? '—' }]} />
      </Card>
      <Card title={`${t('gateway.pods')} · ${status?.readyReplicas ?? 0} / ${spec.replicas ?? status?.replicas ?? 1}`} extra={onScale && <Button icon={<ColumnHeightOutlined aria-hidden />} onClick={onScale}>{t('gateway.scale')}</Button>} bare>
        <Table size="small" rowKey="name" pagination={false} dataSource={status?.pods ?? []} locale={{ emptyText: t('gateway.noPods') }} columns={[{ title: t('table.name'), render: (_, it) => <code>{it.name}</code> }, { title: t('table.state'), render: (_, it) => <State tone={it.ready ? 'good' : 'warn'}>{maybe(`phase.${it.phase}`, it.phase ?? '—')}</State> }, { title: t('gateway.node'), render: (_, it) => it.node ?? '—' }]} />
      </Card>
    </div>
  )
}
