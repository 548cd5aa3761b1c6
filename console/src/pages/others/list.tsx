// HTTPRoutes, Gateways, VirtualServices: what other APIs say about the same hosts.
import { useMemo, useState } from 'react'
import { Button, Grid, Segmented } from 'antd'
import { BranchesOutlined, DeleteOutlined, EditOutlined, FileTextOutlined, PlusOutlined, TagsOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { useLive } from '../../api/live'
import { useRights, type Rights } from '../../api/rights'
import type { Loose } from '../../api/types'
import { Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { conditionTone } from '../../parts/tones'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { reasonName } from '../../words/conditions'
import { hasBackends } from '../../forms/backends'
import { OtherEditDialog, type OtherEdit } from './edit'
import { conditionsOf, listenersOf, OTHERS, otherBySlug, servedByAnother, type Other } from './kinds'

export function OtherList() {
  const { t } = useWords()
  const navigate = useNavigate()
  const [project, slug] = [useParam('project'), useParam('kind')]
  const other = otherBySlug(slug) ?? OTHERS[0]
  if (!other) return null
  return (
    <Page title={t('others.title')} about={t('others.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]} actions={<><Command text={`kubectl get ${other.kind.kubectl} -n ${project}`} /><Make project={project} other={other} /></>}>
      <div className="stack">
        <Segmented aria-label={t('others.kind')} value={other.slug} options={OTHERS.map((it) => ({ value: it.slug, label: it.title }))} onChange={(next) => void navigate({ to: `/projects/${project}/others/${next}` })} style={{ alignSelf: 'flex-start', maxWidth: '100%', overflowX: 'auto' }} />
        <Objects key={other.slug} project={project} other={other} />
      </div>
    </Page>
  )
}

/** As YAML: nothing, for whoever may not. */
function Make({ project, other }: { project: string; other: Other }) {
  const { t } = useWords()
  const navigate = useNavigate()
  if (!useRights(project).can('create', other.kind)) return null
  return (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate({ to: `/projects/${project}/others/${other.slug}/new` })}>
      {t('others.create', { kind: other.kind.kind })}
    </Button>
  )
}

function Objects({ project, other }: { project: string; other: Other }) {
  const { t } = useWords()
  const rights = useRights(project)
  const live = useLive<Loose>(other.kind, project)
  const [open, setOpen] = useState<{ what: OtherEdit | 'delete'; object: Loose } | null>(null)
  const base = `/projects/${project}/others/${other.slug}`
  const narrow = Grid.useBreakpoint().md === false
  const make = <Make project={project} other={other} />
  const columns: Column<Loose>[] = useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <><NameCell object={it} link={<Link to={`${base}/${it.metadata.name}`}>{it.metadata.name}</Link>} />{narrow && <div className="faint wrap">{other.hosts(it).join(', ')}</div>}</>, by: (it) => it.metadata.name },
      { key: 'hosts', title: t(other.called?.hosts ?? 'routes.hosts'), cell: (it) => <Words of={other.hosts(it)} />, wide: true },
      { key: 'leads', title: t(other.called?.leads ?? 'others.leads'), cell: (it) => <Words of={other.leads(it)} />, wide: true },
      { key: 'state', title: t('table.state'), cell: (it) => <OtherState object={it} /> },
      ageColumn(t('meta.created')),
    ],
    [t, base, other, narrow],
  )
  const actions = useOtherActions(project, other, rights, (what, object) => setOpen({ what, object }))
  const menu = (it: Loose) => <Actions label={it.metadata.name} of={actions(it)} />
  return (
    <>
      <ObjectTable label={other.title} live={live} columns={columns} text={(it) => [...other.hosts(it), ...other.leads(it)].join(' ')} menu={menu} empty={<Nothing title={t('others.none', { kind: other.title })} action={make}>{t('others.noneAbout')}</Nothing>} />
      {open && <OtherDialog what={open.what} other={other} object={open.object} onClose={() => setOpen(null)} />}
    </>
  )
}

/** What can be done with an object, in a row's menu and on its page. */
export function useOtherActions(project: string, { kind, slug }: Other, rights: Rights, start: (what: OtherEdit | 'delete', object: Loose) => void) {
  const { t } = useWords()
  const navigate = useNavigate()
  const may = rights.can('patch', kind)
  return (object: Loose) => [
    may && { key: 'information', text: t('routes.editInformation'), icon: <EditOutlined />, run: () => start('information', object) },
    may && hasBackends(kind) && { key: 'rules', text: t('others.editBackends'), icon: <BranchesOutlined />, run: () => start('rules', object) },
    may && { key: 'annotations', text: t('routes.editAnnotations'), icon: <TagsOutlined />, run: () => start('annotations', object) },
    { key: 'yaml', text: may ? t('routes.editYaml') : t('routes.showYaml'), icon: <FileTextOutlined />, run: () => void navigate({ to: `/projects/${project}/others/${slug}/${object.metadata.name}/yaml` }) },
    rights.can('delete', kind) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => start('delete', object) },
  ]
}

interface DialogProps {
  what: OtherEdit | 'delete'
  other: Other
  object: Loose
  onClose: () => void
  onDeleted?: () => void
}

export const OtherDialog = ({ what, other, object, onClose, onDeleted }: DialogProps) =>
  what === 'delete' ? <DeleteDialog kind={other.kind} object={object} word={other.title} onClose={onClose} {...(onDeleted && { onDone: onDeleted })} /> : <OtherEditDialog what={what} kind={other.kind} object={object} onClose={onClose} />

const Words = ({ of }: { of: string[] }) => (
  <span className="row" style={{ gap: 4 }}>
    {of.length === 0 ? '—' : [...new Set(of)].slice(0, 4).map((it) => <span key={it} className="chip">{it}</span>)}
    {of.length > 4 && <span className="faint">+{of.length - 4}</span>}
  </span>
)

export function OtherState({ object }: { object: Loose }) {
  const { t, language } = useWords()
  const conditions = conditionsOf(object)
  const bad = [...conditions.filter((it) => conditionTone(it) === 'warn'), ...listenersOf(object).flatMap((it) => it.bad ?? [])]
  const another = servedByAnother(object)
  if (another) return <State tone="quiet">{t('routes.servedBy', { name: another })}</State>
  if (conditions.length === 0) return <State tone="quiet">{t(object.spec?.parentRefs ? 'others.untaken' : 'state.unsaid')}</State>
  return bad[0] ? <State tone="warn" title={bad[0].message ?? ''}>{reasonName(bad[0].reason, language) || bad[0].reason || bad[0].type}</State> : <State tone="good">{t('routes.fine')}</State>
}
