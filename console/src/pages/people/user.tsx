// Making and editing a user: what they are called, by which names an issuer knows them, what they are on the platform.
import { useState } from 'react'
import { Checkbox, Input, Select } from 'antd'
import { ask } from '../../api/client'
import { KINDS, listPath } from '../../api/kinds'
import { create, edit, remove } from '../../api/objects'
import { useMay } from '../../api/rights'
import { useSession } from '../../api/session'
import type { List, RoleBinding, User } from '../../api/types'
import { isKept, isUserName, platformInvitation, withoutMember } from '../../forms/people'
import { newUser, PLATFORM_ROLES, readUser, writeUser, type UserForm } from '../../forms/user'
import { Field } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'
import { giveOneTime, OneTime } from './password'

export function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const { t } = useWords()
  const { user: me } = useSession()
  const [read] = useState(user)
  const [form, setForm] = useState<UserForm>(() => readUser(user))
  const [stands, setStands] = useState(user !== undefined)
  const [made, setMade] = useState<string | null>(null)
  const [tried, setTried] = useState(false)
  const mayBind = useMay('create', KINDS.clusterRoleBinding) === true
  const { busy, error, run } = useDoing()
  const wrong = { name: isUserName(form.name) ? undefined : t('wrong.name'), email: form.email === '' || /^[^\s@]+@[^\s@]+$/.test(form.email) ? undefined : t('wrong.email') }
  const make = async () => {
    if (!stands) await create<User>(KINDS.user, newUser(form))
    // What follows may fail by itself: then it alone is done again.
    setStands(true)
    await bind(form.name, form.roles, [])
    setMade(await giveOneTime(form.name))
  }
  const change = async (before: User) => {
    await edit(KINDS.user, before, writeUser(before, form))
    if (mayBind) await bind(form.name, form.roles, readUser(before).roles)
  }
  const save = async () => {
    setTried(true)
    if (made !== null) return onClose()
    if (wrong.name || wrong.email) return
    if (!read) return void run(make)
    if (!(await run(() => change(read)))) return
    say(t('said.saved', { what: form.name }))
    onClose()
  }
  return (
    <FormDialog title={t(read ? 'users.edit' : 'users.create')} command={commandsFor(form, read)} does={t(made !== null ? 'do.close' : read ? 'do.save' : 'do.create')} busy={busy} error={error} done={made !== null} onDo={() => void save()} onClose={onClose}>
      {made !== null ? (
        <OneTime name={form.name} password={made} />
      ) : (
        <div className="stack">
          <Field id="user-name" label={t('users.login')} help={t(read ? 'form.nameFixed' : 'users.loginHelp')} wrong={tried ? wrong.name : undefined}>
            <Input id="user-name" autoFocus disabled={stands} value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
          </Field>
          <Field id="user-display" label={t('users.display')}>
            <Input id="user-display" value={form.displayName} onChange={(event) => setForm({ ...form, displayName: event.target.value })} />
          </Field>
          <Field id="user-email" label={t('users.email')} wrong={tried ? wrong.email : undefined}>
            <Input id="user-email" value={form.email} onChange={(event) => setForm({ ...form, email: event.target.value.trim() })} />
          </Field>
          <Field id="user-identities" label={t('users.identities')} help={t('users.identitiesHelp')}>
            <Select id="user-identities" aria-label={t('users.identities')} mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ']} value={form.identities} onChange={(identities: string[]) => setForm({ ...form, identities })} />
          </Field>
          {mayBind && form.name !== me && <PlatformRoles chosen={form.roles} onChange={(roles) => setForm({ ...form, roles })} />}
        </div>
      )}
    </FormDialog>
  )
}

function PlatformRoles({ chosen, onChange }: { chosen: string[]; onChange: (roles: string[]) => void }) {
  const { t, maybe } = useWords()
  return (
    <div className="field" role="group" aria-label={t('users.roles')}>
      <span className="label">{t('users.roles')}</span>
      {PLATFORM_ROLES.map((role) => (
        <Checkbox key={role} checked={chosen.includes(role)} onChange={({ target }) => onChange(target.checked ? [...chosen, role] : chosen.filter((it) => it !== role))}>
          <b>{role}</b> <span className="faint">{maybe(`role.platform.${role}`, '')}</span>
        </Checkbox>
      ))}
    </div>
  )
}

/** Binds them to roles of the platform, and takes those away that they are to have no more. */
async function bind(user: string, wanted: string[], before: string[]) {
  for (const role of wanted.filter((it) => !before.includes(it)))
    await create(KINDS.clusterRoleBinding, platformInvitation(user, role)).catch((refusal: unknown) => {
      if ((refusal as { reason?: string }).reason !== 'AlreadyExists') throw refusal
    })
  const gone = before.filter((it) => !wanted.includes(it))
  if (gone.length === 0) return
  const { items } = await ask<List<RoleBinding>>(listPath(KINDS.clusterRoleBinding))
  for (const binding of items) {
    if (!gone.includes(binding.roleRef.name) || isKept(binding)) continue
    const left = withoutMember(binding, user)
    if (left === binding) continue
    await (left ? edit(KINDS.clusterRoleBinding, { ...binding, apiVersion: '', kind: '' }, { ...left, apiVersion: '', kind: '' }) : remove(KINDS.clusterRoleBinding, binding.metadata.name))
  }
}

function commandsFor(form: UserForm, read: User | undefined): string[] {
  const name = form.name || 'NAME'
  const words = [form.displayName && ` --display-name ${quoted(form.displayName)}`, form.email && ` --email ${quoted(form.email)}`, ...form.identities.map((it) => ` --identity ${quoted(it)}`)].filter(Boolean).join('')
  const before = readUser(read).roles
  return [
    read ? `kubectl edit users.paifang.dev ${name}` : `paifang user create ${name}${words}`,
    ...form.roles.filter((it) => !before.includes(it)).map((role) => `paifang invite ${name} --platform --role ${role}`),
    ...before.filter((it) => !form.roles.includes(it)).map((role) => `paifang invite ${name} --platform --role ${role} --remove`),
  ]
}
