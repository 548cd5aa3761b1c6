// The projects of a workspace.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { DeleteOutlined, EditOutlined, PlusOutlined } from '@ant-design/icons'
import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { KINDS } from '../../api/kinds'
import { client, useLive } from '../../api/live'
import { useMine } from '../../api/mine'
import { get } from '../../api/objects'
import { useRights } from '../../api/rights'
import type { Obj, Place, Project } from '../../api/types'
import { Nothing, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useWords } from '../../words'
import { PlaceDialog, workspaceNamespace } from './place'
import { InTab } from './shared'

type Doing = { what: 'make' } | { what: 'edit' | 'delete'; project: Project } | null

export function Projects({ workspace }: { workspace: string }) {
  const { t } = useWords()
  const namespace = workspaceNamespace(workspace)
  const rights = useRights(namespace)
  const live = useAll(workspace, rights.can('list', KINDS.project) ? namespace : undefined, rights.known)
  const [doing, setDoing] = useState<Doing>(null)
  const columns = useColumns()
  const make = rights.can('create', KINDS.project) && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setDoing({ what: 'make' })}>
      {t('projects.create')}
    </Button>
  )
  const menu = (it: Project) => (
    <Actions
      label={it.metadata.name}
      of={[
        it.kind !== 'Namespace' && rights.can('patch', KINDS.project) && { key: 'edit', text: t('do.edit'), icon: <EditOutlined aria-hidden />, run: () => setDoing({ what: 'edit', project: it }) },
        it.kind !== 'Namespace' && rights.can('delete', KINDS.project) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined aria-hidden />, danger: true, run: () => setDoing({ what: 'delete', project: it }) },
      ]}
    />
  )
  const close = () => setDoing(null)
  const list = (
    <>
      <ObjectTable label={t('projects.title')} live={live} columns={columns} menu={menu} empty={<Nothing title={t('projects.none')}>{t('projects.noneAbout')}</Nothing>} />
      {doing?.what === 'make' && <PlaceDialog of="project" workspace={workspace} onClose={close} />}
      {doing?.what === 'edit' && <PlaceDialog of="project" workspace={workspace} object={doing.project} onClose={close} />}
      {doing?.what === 'delete' && <DeleteDialog kind={KINDS.project} object={doing.project} word={t('projects.one')} about={t('projects.deleteAbout')} command={`paifang project delete ${doing.project.metadata.name}`} onClose={close} onDone={() => void client.invalidateQueries({ queryKey: ['mine'] })} />}
    </>
  )
  return <InTab actions={<><Command text="paifang project list" />{make}</>} list={list} />
}

/** Namespaces that a platform admin has put into the workspace are projects as well, without a Project. */
function useAll(workspace: string, namespace: string | undefined, known: boolean) {
  const { projects } = useMine()
  const requested = useLive<Project>(KINDS.project, namespace)
  const loading = !known || requested.loading
  const others = useMemo(() => {
    const names = new Set(requested.objects.map((it) => it.metadata.name))
    return loading ? [] : projects.filter((it) => it.workspace === workspace && !names.has(it.name))
  }, [requested.objects, loading, projects, workspace])
  // Members may see the namespaces of their projects, which say more than that they are there.
  const found = useQueries({
    queries: others.map(({ name }) => ({ queryKey: ['namespace', name], queryFn: () => get<Obj>(KINDS.namespace, name), retry: false, staleTime: 60_000 })),
    combine: (answers) => answers.map(({ data }) => data?.metadata),
  })
  return useMemo(() => {
    const alias = (it: Place) => it.alias && { annotations: { 'kubesphere.io/alias-name': it.alias } }
    const namespaces = others.map((it, index): Project => ({ apiVersion: '', kind: 'Namespace', metadata: found[index] ?? { name: it.name, ...alias(it) }, spec: {} }))
    return { ...requested, loading, objects: [...requested.objects, ...namespaces] }
  }, [requested, others, found, loading])
}

function useColumns(): Column<Project>[] {
  const { t } = useWords()
  return useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<Link to={`/projects/${it.metadata.name}`}>{it.metadata.name}</Link>} />, by: (it) => it.metadata.name },
      { key: 'state', title: t('table.state'), cell: (it) => <ProjectState project={it} /> },
      ageColumn(t('meta.created')),
    ],
    [t],
  )
}

function ProjectState({ project }: { project: Project }) {
  const { t, maybe } = useWords()
  const ready = project.status?.conditions?.find((it) => it.type === 'Ready')
  if (project.metadata.deletionTimestamp) return <State tone="quiet">{t('place.Deleting')}</State>
  if (!ready || ready.status === 'True') return <State tone="good">{t('state.ready')}</State>
  return (
    <State tone="warn" title={ready.message ?? ''}>
      {maybe(`place.${ready.reason}`, ready.reason ?? ready.type)}
    </State>
  )
}
