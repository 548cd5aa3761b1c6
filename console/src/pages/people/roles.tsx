// Project settings → Roles: the built-in ones, and own ones put together from named permissions.
import { useMemo, useState } from 'react'
import { Button, Input, Modal, Select } from 'antd'
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { usePermissions, type Permission } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { create } from '../../api/objects'
import { useRights } from '../../api/rights'
import type { Role } from '../../api/types'
import { isName } from '../../forms/names'
import { newRole, permissionsOf, type Chosen } from '../../forms/role'
import { Field, Nothing, Page, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog, useDoing } from '../../parts/dialogs'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { say } from '../../parts/toasts'
import { Why } from '../../parts/why'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import type { PlaceOf } from './shared'

const BUILT_IN = 'paifang.dev/built-in'

export function ProjectRoles() {
  const { t } = useWords()
  const project = useParam('project')
  return (
    <Page title={t('roles.title')} about={t('roles.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.settings') }]}>
      <Roles key={project} place={{ of: 'project', name: project, namespace: project }} />
    </Page>
  )
}

export function Roles({ place }: { place: PlaceOf }) {
  const { t, maybe } = useWords()
  const rights = useRights(place.namespace)
  const live = useLive<Role>(KINDS.role, place.namespace)
  const [making, setMaking] = useState(false)
  const [doomed, setDoomed] = useState<Role | null>(null)
  const permissions = usePermissions().filter((it) => it.place === place.of)
  const columns: Column<Role>[] = useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => (isBuiltIn(it) ? <b>{it.metadata.name}</b> : <NameCell object={it} link={<b>{it.metadata.name}</b>} />), by: (it) => it.metadata.name },
      { key: 'kind', title: t('roles.kind'), cell: (it) => <span className="chip">{isBuiltIn(it) ? t('roles.builtIn') : t('roles.own')}</span>, by: (it) => Number(isBuiltIn(it)) },
      { key: 'allows', title: t('roles.allows'), cell: (it) => (isBuiltIn(it) ? maybe(`role.${place.of}.${it.metadata.name}`, '') : permissionsOf(it) || t('roles.rules', { n: it.rules?.length ?? 0 })) },
      ageColumn(t('meta.created')),
    ],
    [t, maybe, place.of],
  )
  const may = rights.can('create', KINDS.role)
  const menu = (it: Role) => <Actions label={it.metadata.name} of={[!isBuiltIn(it) && rights.can('delete', KINDS.role) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setDoomed(it) }]} />
  return (
    <div className="stack">
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Command text={`paifang role list --${place.of} ${place.name}`} />
        {may && permissions.length > 0 ? <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>{t('roles.create')}</Button> : rights.known && !may && <Why project={place.namespace}>{t('roles.mayNot')}</Why>}
      </div>
      <ObjectTable label={t('roles.title')} live={live} columns={columns} menu={menu} empty={<Nothing title={t('roles.none')}>{t('roles.noneAbout')}</Nothing>} />
      {making && <RoleDialog place={place} permissions={permissions} onClose={() => setMaking(false)} />}
      {doomed && <DeleteDialog kind={KINDS.role} object={doomed} word={t('roles.one')} command={`paifang role delete ${doomed.metadata.name} --${place.of} ${place.name}`} onClose={() => setDoomed(null)} />}
    </div>
  )
}

const isBuiltIn = (role: Role) => role.metadata.labels?.[BUILT_IN] !== undefined

function RoleDialog({ place, permissions, onClose }: { place: PlaceOf; permissions: Permission[]; onClose: () => void }) {
  const { t, language, maybe } = useWords()
  const [form, setForm] = useState<{ name: string; description: string; chosen: Chosen }>({ name: '', description: '', chosen: {} })
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const wrong = { name: isName(form.name) ? undefined : t('wrong.name'), chosen: Object.keys(form.chosen).length > 0 ? undefined : t('roles.chooseOne') }
  const save = async () => {
    setTried(true)
    if (wrong.name || wrong.chosen || !(await run(() => create<Role>(KINDS.role, newRole(place.namespace, form, permissions))))) return
    say(t('said.made', { what: form.name }))
    onClose()
  }
  const choose = (name: string, level: string | undefined) => {
    const { [name]: _, ...rest } = form.chosen
    setForm({ ...form, chosen: level ? { ...rest, [name]: level } : rest })
  }
  const words = Object.entries(form.chosen).map(([name, level]) => `${name}=${level}`).join(',')
  return (
    <Modal open width={680} title={t('roles.create')} okText={t('do.create')} okButtonProps={{ loading: busy }} onOk={() => void save()} onCancel={onClose} footer={(buttons) => <div className="row" style={{ justifyContent: 'space-between' }}><Command text={`paifang role create ${form.name || 'NAME'} --${place.of} ${place.name} --permissions ${words || 'NAME=LEVEL'}`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        <Field id="role-name" label={t('table.name')} help={t('form.nameHelp')} wrong={tried ? wrong.name : undefined}>
          <Input id="role-name" autoFocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
        </Field>
        <Field id="role-description" label={t('form.description')}>
          <Input id="role-description" value={form.description} onChange={(event) => setForm({ ...form, description: event.target.value })} />
        </Field>
        <div className="field" role="group" aria-label={t('roles.permissions')}>
          <span className="label">{t('roles.permissions')}</span>
          {permissions.map((it) => (
            <div key={it.name} className="row" style={{ justifyContent: 'space-between', flexWrap: 'nowrap' }}>
              <span>
                <b>{it.name}</b>
                <span className="faint"> {it.about[language]}</span>
              </span>
              <Select aria-label={it.name} allowClear style={{ width: 150, flex: 'none' }} placeholder={t('roles.not')} value={form.chosen[it.name] ?? null} options={levelsOf(it).map((value) => ({ value, label: maybe(`level.${value}`, value) }))} onChange={(level?: string | null) => choose(it.name, level ?? undefined)} />
            </div>
          ))}
          {tried && wrong.chosen && <span className="wrong" role="alert">{wrong.chosen}</span>}
        </div>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}

const levelsOf = (it: Permission) => Object.keys(it.levels).sort((a, b) => LEVELS.indexOf(a) - LEVELS.indexOf(b))
const LEVELS = ['view', 'create', 'manage']
