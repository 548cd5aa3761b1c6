// HTTPRoutes, Gateways, VirtualServices: what other APIs say about the same hosts.
import { useMemo, useState } from 'react'
import { Segmented } from 'antd'
import { DeleteOutlined, FileTextOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { useLive } from '../../api/live'
import { useRights } from '../../api/rights'
import type { Loose } from '../../api/types'
import { Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { conditionTone } from '../../parts/tones'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { conditionsOf, OTHERS, otherBySlug, type Other } from './kinds'

export function OtherList() {
  const { t } = useWords()
  const navigate = useNavigate()
  const [project, slug] = [useParam('project'), useParam('kind')]
  const other = otherBySlug(slug) ?? OTHERS[0]
  if (!other) return null
  return (
    <Page title={t('others.title')} about={t('others.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]} actions={<Command text={`kubectl get ${other.kind.kubectl} -n ${project}`} />}>
      <div className="stack">
        <Segmented aria-label={t('others.kind')} value={other.slug} options={OTHERS.map((it) => ({ value: it.slug, label: it.title }))} onChange={(next) => void navigate({ to: `/projects/${project}/others/${next}` })} style={{ alignSelf: 'flex-start', maxWidth: '100%', overflowX: 'auto' }} />
        <Objects key={other.slug} project={project} other={other} />
      </div>
    </Page>
  )
}

function Objects({ project, other }: { project: string; other: Other }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const rights = useRights(project)
  const live = useLive<Loose>(other.kind, project)
  const [doomed, setDoomed] = useState<Loose | null>(null)
  const base = `/projects/${project}/others/${other.slug}`
  const columns: Column<Loose>[] = useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<Link to={`${base}/${it.metadata.name}`}>{it.metadata.name}</Link>} />, by: (it) => it.metadata.name },
      { key: 'hosts', title: t('routes.hosts'), cell: (it) => <Words of={other.hosts(it)} /> },
      { key: 'leads', title: t('others.leads'), cell: (it) => <Words of={other.leads(it)} />, wide: true },
      { key: 'state', title: t('table.state'), cell: (it) => <OtherState object={it} /> },
      ageColumn(t('meta.created')),
    ],
    [t, base, other],
  )
  const menu = (it: Loose) => (
    <Actions
      label={it.metadata.name}
      of={[
        { key: 'yaml', text: rights.can('patch', other.kind) ? t('routes.editYaml') : t('routes.showYaml'), icon: <FileTextOutlined />, run: () => void navigate({ to: `${base}/${it.metadata.name}/yaml` }) },
        rights.can('delete', other.kind) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setDoomed(it) },
      ]}
    />
  )
  return (
    <>
      <ObjectTable label={other.title} live={live} columns={columns} text={(it) => [...other.hosts(it), ...other.leads(it)].join(' ')} menu={menu} empty={<Nothing title={t('others.none', { kind: other.title })}>{t('others.noneAbout')}</Nothing>} />
      {doomed && <DeleteDialog kind={other.kind} object={doomed} word={other.title} onClose={() => setDoomed(null)} />}
    </>
  )
}

const Words = ({ of }: { of: string[] }) => (
  <span className="row" style={{ gap: 4 }}>
    {of.length === 0 ? '—' : [...new Set(of)].slice(0, 4).map((it) => <span key={it} className="chip">{it}</span>)}
    {of.length > 4 && <span className="faint">+{of.length - 4}</span>}
  </span>
)

export function OtherState({ object }: { object: Loose }) {
  const { t } = useWords()
  const conditions = conditionsOf(object)
  const bad = conditions.filter((it) => conditionTone(it) === 'warn')
  if (conditions.length === 0) return <State tone="quiet">{t('state.unsaid')}</State>
  return bad[0] ? <State tone="warn" title={bad[0].message ?? ''}>{bad[0].reason ?? bad[0].type}</State> : <State tone="good">{t('routes.fine')}</State>
}
