// A workspace: its projects, members and roles.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useMine } from '../../api/mine'
import { useMay, useRights } from '../../api/rights'
import type { Project } from '../../api/types'
import { Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { DetailTabs } from '../../parts/details'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { PlaceDialog, workspaceNamespace } from './place'
import { Roles } from './roles'
import { Members } from './shared'

export function WorkspacePage() {
  const { t } = useWords()
  const navigate = useNavigate()
  const name = useParam('workspace')
  const place = { of: 'workspace' as const, name, namespace: workspaceNamespace(name) }
  const { workspaces } = useMine()
  const mayDelete = useMay('delete', KINDS.workspace)
  const [ending, setEnding] = useState(false)
  const alias = workspaces.find((it) => it.name === name)?.alias
  return (
    <Page title={alias || name} about={alias ? name : undefined} crumbs={[{ text: t('workspaces.title'), to: '/workspaces' }]} actions={<><Command text={`paifang workspace members ${name}`} /><Actions label={name} text={t('do.manage')} of={[mayDelete && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setEnding(true) }]} /></>}>
      <DetailTabs
        tabs={[
          { key: 'projects', label: t('projects.title'), children: <Projects workspace={name} /> },
          { key: 'members', label: t('members.title'), children: <Members place={place} /> },
          { key: 'roles', label: t('roles.title'), children: <Roles place={place} /> },
        ]}
      />
      {ending && <DeleteDialog kind={KINDS.workspace} object={{ apiVersion: '', kind: 'Workspace', metadata: { name } }} word={t('workspaces.one')} about={t('workspaces.deleteAbout')} command={`paifang workspace delete ${name}`} onClose={() => setEnding(false)} onDone={() => void navigate({ to: '/workspaces' })} />}
    </Page>
  )
}

function Projects({ workspace }: { workspace: string }) {
  const { t } = useWords()
  const namespace = workspaceNamespace(workspace)
  const rights = useRights(namespace)
  const { projects } = useMine()
  const requested = useLive<Project>(KINDS.project, rights.can('list', KINDS.project) ? namespace : undefined)
  const [making, setMaking] = useState(false)
  const [doomed, setDoomed] = useState<Project | null>(null)
  // Namespaces that a platform admin has put into the workspace are projects as well, without a Project.
  const live = useMemo(() => {
    const known = new Set(requested.objects.map((it) => it.metadata.name))
    const others = projects.filter((it) => it.workspace === workspace && !known.has(it.name)).map((it): Project => ({ apiVersion: '', kind: 'Namespace', metadata: { name: it.name, ...(it.alias && { annotations: { 'kubesphere.io/alias-name': it.alias } }) }, spec: {} }))
    return { ...requested, loading: false, objects: [...requested.objects, ...others] }
  }, [requested, projects, workspace])
  const columns: Column<Project>[] = useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<Link to={`/projects/${it.metadata.name}`}>{it.metadata.name}</Link>} />, by: (it) => it.metadata.name },
      { key: 'state', title: t('table.state'), cell: (it) => <ProjectState project={it} /> },
      ageColumn(t('meta.created')),
    ],
    [t],
  )
  const make = rights.can('create', KINDS.project) && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('projects.create')}
    </Button>
  )
  const menu = (it: Project) => <Actions label={it.metadata.name} of={[it.kind !== 'Namespace' && rights.can('delete', KINDS.project) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setDoomed(it) }]} />
  return (
    <div className="stack">
      {make && <div className="row" style={{ justifyContent: 'flex-end' }}>{make}</div>}
      <ObjectTable label={t('projects.title')} live={live} columns={columns} menu={menu} empty={<Nothing title={t('projects.none')} action={make}>{t('projects.noneAbout')}</Nothing>} />
      {making && <PlaceDialog of="project" workspace={workspace} onClose={() => setMaking(false)} />}
      {doomed && <DeleteDialog kind={KINDS.project} object={doomed} word={t('projects.one')} about={t('projects.deleteAbout')} command={`paifang project delete ${doomed.metadata.name} --workspace ${workspace}`} onClose={() => setDoomed(null)} />}
    </div>
  )
}

function ProjectState({ project }: { project: Project }) {
  const { t } = useWords()
  const ready = project.status?.conditions?.find((it) => it.type === 'Ready')
  if (!ready || ready.status === 'True') return <State tone="good">{t('state.ready')}</State>
  return <State tone="warn" title={ready.message ?? ''}>{ready.reason ?? ready.type}</State>
}
