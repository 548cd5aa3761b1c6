// One object of another API: what it says, and what is said of it.
import { lazy, Suspense } from 'react'
import { useNavigate } from '@tanstack/react-router'
import { Table } from 'antd'
import { useState } from 'react'
import { useOne } from '../../api/live'
import { useRights } from '../../api/rights'
import type { Loose } from '../../api/types'
import { readBackends } from '../../forms/backends'
import { Card, Facts, Loading, Page, State, When, type Crumb } from '../../parts/basics'
import { Command } from '../../parts/command'
import { Gone } from '../../parts/gone'
import { Actions } from '../../parts/menu'
import { aliasOf, descriptionOf } from '../../forms/names'
import { Conditions, DetailTabs, Events, Metadata } from '../../parts/details'
import { useParam, useQueryParam } from '../../shell/params'
import { useWords } from '../../words'
import { reasonName } from '../../words/conditions'
import { Said } from '../../words/said'
import type { OtherEdit } from './edit'
import { OtherAccess } from './access'
import { conditionsOf, isRoute, listenersOf, OTHERS, otherBySlug, type ListenerSaid } from './kinds'
import { list, text } from './loose'
import { Split } from '../routes/flow'
import { OtherDialog, OtherState, useOtherActions } from './list'

const Shown = lazy(() => import('../../parts/yaml'))

export function OtherDetail() {
  const { t } = useWords()
  const navigate = useNavigate()
  const [project, slug, name] = [useParam('project'), useParam('kind'), useParam('name')]
  const other = otherBySlug(slug)
  const tab = useQueryParam('tab') || 'status'
  const rights = useRights(project)
  const { object, loading, error } = useOne<Loose>(other?.kind ?? { kind: '', plural: '', group: '', version: '', namespaced: true, kubectl: '' }, other && project, name)
  const [doing, setDoing] = useState<OtherEdit | 'delete' | null>(null)
  const actions = useOtherActions(project, other ?? OTHERS[0]!, rights, setDoing)
  const base = `/projects/${project}/others/${slug}`
  const addresses = list(object?.status?.addresses).map((it) => text(it.value))
  if (!other) return null
  const crumbs: Crumb[] = [{ text: project, to: `/projects/${project}` }, { text: other.title, to: base }]
  if (loading) return <Loading />
  if (error || !object) return <Gone name={name} crumbs={crumbs} error={error} />
  return (
    <Page
      title={aliasOf(object) || name}
      about={descriptionOf(object)}
      beside={<OtherState object={object} />}
      crumbs={[...crumbs, ...(aliasOf(object) ? [{ text: name }] : [])]}
      actions={
        <>
          <Command text={`kubectl get ${other.kind.kubectl} ${name} -n ${project} -o yaml`} />
          <Actions of={actions(object)} label={name} text={t('do.manage')} />
        </>
      }
    >
      <div className="stack">
        <Card>
          <Facts of={[[t(other.called?.hosts ?? 'routes.hosts'), other.hosts(object).join(', ')], [t(other.called?.leads ?? 'others.leads'), other.leads(object).join(', ')], addresses.length > 0 && [t('routes.address'), <span className="mono">{addresses.join(', ')}</span>], [t('meta.created'), <When at={object.metadata.creationTimestamp} />]]} />
        </Card>
        <DetailTabs
          active={tab}
          onChange={(key) => void navigate({ to: `${base}/${name}`, search: { tab: key }, replace: true })}
          tabs={[
            { key: 'status', label: t('gateway.status'), children: <Status kind={other.kind.kind} object={object} project={project} /> },
            ...(isRoute(other.kind) ? [{ key: 'access', label: t('access.title'), children: <OtherAccess object={object} /> }] : []),
            { key: 'yaml', label: 'YAML', children: <Suspense fallback={<Loading />}><Shown label="YAML" value={shown(object)} readOnly /></Suspense> },
            { key: 'metadata', label: t('meta.title'), children: <Metadata object={object} /> },
            { key: 'events', label: t('events.title'), children: <Events of={object} /> },
          ]}
        />
      </div>
      {doing && <OtherDialog what={doing} other={other} object={object} onClose={() => setDoing(null)} onDeleted={() => void navigate({ to: base })} />}
    </Page>
  )
}

function Status({ kind, object, project }: { kind: string; object: Loose; project: string }) {
  const { t } = useWords()
  const { rules } = readBackends(kind, object)
  return (
    <div className="stack">
      {rules.map(({ about, backends }, index) => (
        <Card key={index} title={t('rules.rule', { n: index + 1 })}>
          <Split project={project} about={about} backends={backends} />
        </Card>
      ))}
      <Listeners of={listenersOf(object)} />
      <Card title={t('conditions.title')} bare>
        <Conditions of={conditionsOf(object)} />
      </Card>
    </div>
  )
}

function Listeners({ of }: { of: ListenerSaid[] }) {
  const { t, language } = useWords()
  if (of.length === 0) return null
  return (
    <Card title={t('others.listeners')} bare>
      <Table
        size="small"
        rowKey="name"
        pagination={false}
        dataSource={of}
        columns={[
          { title: t('table.name'), render: (_, it) => <><b className="whole">{it.name}</b><div className="faint narrow-only">{it.port} {it.host}</div></> },
          { title: t('gateway.port'), render: (_, it) => <span className="whole">{it.port}</span>, responsive: ['md'] },
          { title: t('rules.host'), render: (_, it) => it.host || t('routes.anyHost'), responsive: ['md'] },
          { title: t('gateway.routes'), render: (_, it) => it.routes ?? '—', responsive: ['md'] },
          { title: t('table.state'), render: (_, { bad }) => (bad ? <><State tone="warn">{reasonName(bad.reason, language) || bad.reason}</State><div className="soft"><Said of={bad.message} className="wrap" /></div></> : <State tone="good">{t('routes.fine')}</State>) },
        ]}
      />
    </Card>
  )
}

const shown = ({ apiVersion, kind, metadata: { name, namespace }, spec }: Loose) => ({ apiVersion, kind, metadata: { name, namespace }, spec })
