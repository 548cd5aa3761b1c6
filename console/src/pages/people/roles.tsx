// Project settings → Roles: the built-in ones, and own ones put together from named permissions.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { DeleteOutlined, EditOutlined, PlusOutlined } from '@ant-design/icons'
import { usePermissions } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useRights } from '../../api/rights'
import type { Role, RoleBinding } from '../../api/types'
import { chosenOf, hasDrifted, permissionsOf } from '../../forms/role'
import { Nothing, Note, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { Why } from '../../parts/why'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { permissionName } from '../../words/permissions'
import { RoleDialog } from './role'
import type { Listed, PlaceOf } from './shared'

const BUILT_IN = 'paifang.dev/built-in'
const isBuiltIn = (role: Role) => role.metadata.labels?.[BUILT_IN] !== undefined

export function ProjectRoles() {
  const project = useParam('project')
  return <RolesPage key={project} project={project} />
}

function RolesPage({ project }: { project: string }) {
  const { t } = useWords()
  const { actions, list } = useRoles({ of: 'project', name: project, namespace: project })
  return (
    <Page title={t('roles.title')} about={t('roles.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.settings') }]} actions={actions}>
      {list}
    </Page>
  )
}

type Doing = { what: 'make' } | { what: 'edit' | 'delete'; role: Role } | null

export function useRoles(place: PlaceOf): Listed {
  const { t } = useWords()
  const rights = useRights(place.namespace)
  const live = useLive<Role>(KINDS.role, place.namespace)
  const bindings = useLive<RoleBinding>(KINDS.roleBinding, place.namespace).objects
  const [doing, setDoing] = useState<Doing>(null)
  const catalogue = usePermissions()
  const permissions = useMemo(() => catalogue.filter((it) => it.place === place.of), [catalogue, place.of])
  const columns = useColumns(place.of, permissions)
  const may = rights.can('create', KINDS.role)
  const menu = (it: Role) => (
    <Actions
      label={it.metadata.name}
      of={[
        !isBuiltIn(it) && chosenOf(it) !== null && permissions.length > 0 && rights.can('patch', KINDS.role) && { key: 'edit', text: t('do.edit'), icon: <EditOutlined aria-hidden />, run: () => setDoing({ what: 'edit', role: it }) },
        !isBuiltIn(it) && rights.can('delete', KINDS.role) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined aria-hidden />, danger: true, run: () => setDoing({ what: 'delete', role: it }) },
      ]}
    />
  )
  const close = () => setDoing(null)
  return {
    actions: (
      <>
        <Command text={`paifang role list --${place.of} ${place.name}`} />
        {may && permissions.length > 0 ? (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setDoing({ what: 'make' })}>
            {t('roles.create')}
          </Button>
        ) : (
          rights.known && !may && <Why project={place.namespace}>{t('roles.mayNot')}</Why>
        )}
      </>
    ),
    list: (
      <>
        <ObjectTable label={t('roles.title')} live={live} columns={columns} menu={menu} empty={<Nothing title={t('roles.none')}>{t('roles.noneAbout')}</Nothing>} />
        {doing?.what === 'make' && <RoleDialog place={place} permissions={permissions} onClose={close} />}
        {doing?.what === 'edit' && <RoleDialog place={place} permissions={permissions} role={doing.role} onClose={close} />}
        {doing?.what === 'delete' && <DeleteRole place={place} role={doing.role} holders={holdersOf(doing.role, bindings)} onClose={close} />}
      </>
    ),
  }
}

function useColumns(of: PlaceOf['of'], permissions: ReturnType<typeof usePermissions>): Column<Role>[] {
  const { t, maybe, language } = useWords()
  return useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => (isBuiltIn(it) ? <b>{it.metadata.name}</b> : <NameCell object={it} link={<b>{it.metadata.name}</b>} />), by: (it) => it.metadata.name },
      { key: 'kind', title: t('roles.kind'), cell: (it) => <span className="chip whole">{isBuiltIn(it) ? t('roles.builtIn') : t('roles.own')}</span>, by: (it) => Number(isBuiltIn(it)), wide: true },
      {
        key: 'allows',
        title: t('roles.allows'),
        cell: (it) => (
          <>
            {isBuiltIn(it) ? maybe(`role.${of}.${it.metadata.name}`, '') : permissionsOf(it, maybe, (name) => permissionName(name, language)) || t('roles.rules', { n: it.rules?.length ?? 0 })}
            {!isBuiltIn(it) && permissions.length > 0 && hasDrifted(it, permissions) && <div><State tone="warn">{t('roles.drifted')}</State></div>}
          </>
        ),
      },
      ageColumn(t('meta.created')),
    ],
    [t, maybe, language, of, permissions],
  )
}

const holdersOf = (role: Role, bindings: readonly RoleBinding[]) => [...new Set(bindings.filter((it) => it.roleRef.kind === 'Role' && it.roleRef.name === role.metadata.name).flatMap((it) => (it.subjects ?? []).map((one) => one.name)))]

function DeleteRole({ place, role, holders, onClose }: { place: PlaceOf; role: Role; holders: string[]; onClose: () => void }) {
  const { t } = useWords()
  const held = holders.length > 0 && (
    <Note tone="warn">
      <p>{t('roles.held', { who: holders.join(', ') })}</p>
    </Note>
  )
  return <DeleteDialog kind={KINDS.role} object={role} word={t('roles.one')} about={held} blocked={holders.length > 0} command={`paifang role delete ${role.metadata.name} --${place.of} ${place.name}`} onClose={onClose} />
}
