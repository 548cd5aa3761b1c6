// A role of one's own: its name, and which permissions it has, each on a level.
import { useState } from 'react'
import { Input, Select } from 'antd'
import type { Permission } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { create, edit } from '../../api/objects'
import type { Role } from '../../api/types'
import { isName } from '../../forms/names'
import { hasDrifted, newRole, readRole, writeRole, type RoleForm } from '../../forms/role'
import { Field, Note } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'
import { permissionName } from '../../words/permissions'
import type { PlaceOf } from './shared'

interface Props {
  place: PlaceOf
  permissions: Permission[]
  /** The one to edit. */
  role?: Role
  onClose: () => void
}

const BUILT_IN = { project: ['admin', 'operator', 'viewer'], workspace: ['admin', 'self-provisioner', 'viewer', 'regular'] }

export function RoleDialog({ place, permissions, role, onClose }: Props) {
  const { t } = useWords()
  const [read] = useState(role)
  const [form, setForm] = useState<RoleForm>(() => (role ? readRole(role) : { name: '', description: '', chosen: {} }))
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const wrong = {
    name: !isName(form.name) ? t('wrong.name') : !role && BUILT_IN[place.of].includes(form.name) ? t('roles.taken') : undefined,
    chosen: Object.keys(form.chosen).length > 0 ? undefined : t('roles.chooseOne'),
  }
  const save = async () => {
    setTried(true)
    if (wrong.name || wrong.chosen) return
    const done = await run(() => (read ? edit(KINDS.role, read, writeRole(read, form, permissions)) : create<Role>(KINDS.role, newRole(place.namespace, form, permissions))))
    if (!done) return
    say(t(role ? 'said.saved' : 'said.made', { what: form.name }))
    onClose()
  }
  return (
    <FormDialog title={role ? t('roles.edit', { name: role.metadata.name }) : t('roles.create')} command={commandFor(place, form, Boolean(role))} does={t(role ? 'do.save' : 'do.create')} busy={busy} error={error} width={720} onDo={() => void save()} onClose={onClose}>
      {role && hasDrifted(role, permissions) && <Note tone="warn"><p>{t('roles.driftedAbout')}</p></Note>}
      <Field id="role-name" label={t('table.name')} help={t(role ? 'form.nameFixed' : 'form.nameHelp')} wrong={tried ? wrong.name : undefined}>
        <Input id="role-name" autoFocus disabled={role !== undefined} value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
      </Field>
      <Field id="role-description" label={t('form.description')}>
        <Input id="role-description" maxLength={256} value={form.description} onChange={(event) => setForm({ ...form, description: event.target.value })} />
      </Field>
      <div className="field" role="group" aria-label={t('roles.permissions')}>
        <span className="label">{t('roles.permissions')}</span>
        <Choices permissions={permissions} chosen={form.chosen} onChange={(chosen) => setForm({ ...form, chosen })} />
        {tried && wrong.chosen && <span className="wrong" role="alert">{wrong.chosen}</span>}
      </div>
    </FormDialog>
  )
}

function Choices({ permissions, chosen, onChange }: { permissions: Permission[]; chosen: RoleForm['chosen']; onChange: (chosen: RoleForm['chosen']) => void }) {
  const { t, language, maybe } = useWords()
  const choose = (name: string, level: string | undefined) => {
    const { [name]: _, ...rest } = chosen
    onChange(level ? { ...rest, [name]: level } : rest)
  }
  return (
    <ul className="permissions">
      {permissions.map((it) => (
        <li key={it.name}>
          <span>
            <b>{permissionName(it.name, language)}</b>
            <span className="faint">{it.about[language]}</span>
          </span>
          <Select aria-label={it.name} allowClear placeholder={t('roles.not')} value={chosen[it.name] ?? null} options={levelsOf(it).map((value) => ({ value, label: maybe(`level.${value}`, value) }))} onChange={(level?: string | null) => choose(it.name, level ?? undefined)} />
        </li>
      ))}
    </ul>
  )
}

const LEVELS = ['view', 'create', 'manage']
const levelsOf = (it: Permission) => Object.keys(it.levels).sort((a, b) => LEVELS.indexOf(a) - LEVELS.indexOf(b))

function commandFor(place: PlaceOf, form: RoleForm, exists: boolean): string {
  const name = form.name || 'NAME'
  if (exists) return `kubectl edit role ${name} -n ${place.namespace}`
  const permissions = Object.entries(form.chosen).map(([permission, level]) => ` --permission ${permission}=${level}`).join('') || ' --permission NAME=LEVEL'
  return `paifang role create ${name} --${place.of} ${place.name}${permissions}${form.description ? ` --description ${quoted(form.description)}` : ''}`
}
