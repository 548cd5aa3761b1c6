// A workspace: its projects, members and roles.
import { useState } from 'react'
import { DeleteOutlined, EditOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ApiError } from '../../api/client'
import { KINDS } from '../../api/kinds'
import { client } from '../../api/live'
import { useMine } from '../../api/mine'
import { get } from '../../api/objects'
import { useMay } from '../../api/rights'
import type { Workspace } from '../../api/types'
import { readNaming } from '../../forms/names'
import { Nothing, Page, Trouble, type Crumb } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { DetailTabs } from '../../parts/details'
import { Actions } from '../../parts/menu'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { NoPeople } from './kinds'
import { PlaceDialog, workspaceNamespace } from './place'
import { Projects } from './projects'
import { useRoles } from './roles'
import { InTab, useMembers, type PlaceOf } from './shared'

export function WorkspacePage() {
  const name = useParam('workspace')
  return <Whole key={name} name={name} />
}

/** The object itself, for who may read it: members are told its names without it. */
function useWorkspace(name: string) {
  return useQuery({
    queryKey: ['workspace', name],
    queryFn: () => get<Workspace>(KINDS.workspace, name),
    retry: false,
    refetchInterval: (query) => (query.state.status === 'error' ? false : 10_000),
  })
}

function Whole({ name }: { name: string }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const { workspaces } = useMine()
  const { data: object, error } = useWorkspace(name)
  const [mayEdit, mayDelete] = [useMay('patch', KINDS.workspace, '', name), useMay('delete', KINDS.workspace, '', name)]
  const [doing, setDoing] = useState<'edit' | 'delete' | null>(null)
  const place: PlaceOf = { of: 'workspace', name, namespace: workspaceNamespace(name) }
  const crumbs: Crumb[] = [{ text: t('workspaces.title'), to: '/workspaces' }]
  if (error instanceof ApiError && error.reason === 'NoKind') return <Page title={name} crumbs={crumbs}><NoPeople /></Page>
  if (error instanceof ApiError && error.status === 404)
    return (
      <Page title={name} crumbs={crumbs}>
        <div className="card">
          <Nothing title={t('workspaces.gone')} />
        </div>
      </Page>
    )
  // Whoever is no member is not told that it is empty.
  if (error instanceof ApiError && error.status === 403 && !workspaces.some((it) => it.name === name))
    return (
      <Page title={name} crumbs={crumbs}>
        <Trouble error={error} />
      </Page>
    )
  const naming = object ? readNaming(object) : { alias: workspaces.find((it) => it.name === name)?.alias ?? '', description: '' }
  const gone = () => {
    void client.invalidateQueries({ queryKey: ['mine'] })
    void navigate({ to: '/workspaces' })
  }
  const actions = [
    object && mayEdit && { key: 'edit', text: t('do.edit'), icon: <EditOutlined aria-hidden />, run: () => setDoing('edit') },
    mayDelete && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined aria-hidden />, danger: true, run: () => setDoing('delete') },
  ]
  const about = [naming.alias && name, naming.description].filter(Boolean).join(' · ')
  return (
    <Page title={naming.alias || name} about={about} crumbs={crumbs} actions={<><Command text={object ? `kubectl get workspaces.paifang.dev ${name} -o yaml` : `paifang workspace members ${name}`} /><Actions label={name} text={t('do.manage')} of={actions} /></>}>
      <DetailTabs
        tabs={[
          { key: 'projects', label: t('projects.title'), children: <Projects workspace={name} /> },
          { key: 'members', label: t('members.title'), children: <MembersTab place={place} /> },
          { key: 'roles', label: t('roles.title'), children: <RolesTab place={place} /> },
        ]}
      />
      {doing === 'edit' && object && <PlaceDialog of="workspace" object={object} onClose={() => setDoing(null)} />}
      {doing === 'delete' && <DeleteDialog kind={KINDS.workspace} object={{ apiVersion: '', kind: 'Workspace', metadata: { name } }} word={t('workspaces.one')} about={t('workspaces.deleteAbout')} command={`paifang workspace delete ${name}`} onClose={() => setDoing(null)} onDone={gone} />}
    </Page>
  )
}

const MembersTab = ({ place }: { place: PlaceOf }) => <InTab {...useMembers(place)} />
const RolesTab = ({ place }: { place: PlaceOf }) => <InTab {...useRoles(place)} />
