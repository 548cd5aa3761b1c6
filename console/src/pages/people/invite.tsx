// Inviting somebody to a place, giving them another role there, and removing them.
import { useState } from 'react'
import { Input, Select } from 'antd'
import { ask } from '../../api/client'
import { KINDS, listPath } from '../../api/kinds'
import { useLive } from '../../api/live'
import { create, edit, remove } from '../../api/objects'
import { useMay } from '../../api/rights'
import { useSession } from '../../api/session'
import type { List, Role, RoleBinding, User } from '../../api/types'
import { has, invitation, isKept, isUserName, withoutMember, type Member } from '../../forms/people'
import { permissionsOf } from '../../forms/role'
import { Field, Note } from '../../parts/basics'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'
import { permissionName } from '../../words/permissions'
import type { PlaceOf } from './shared'

interface InviteProps {
  place: PlaceOf
  bound: readonly RoleBinding[]
  onClose: () => void
}

export function InviteDialog({ place, bound, onClose }: InviteProps) {
  const { t } = useWords()
  const mayList = useMay('list', KINDS.user)
  const [form, setForm] = useState({ user: '', role: '' })
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const already = bound.some((it) => it.roleRef.name === form.role && has(it, form.user))
  const wrong = {
    user: form.user === '' ? t('wrong.required') : !isUserName(form.user) ? t('wrong.name') : undefined,
    role: form.role === '' ? t('wrong.required') : already ? t('members.already', { who: form.user, role: form.role }) : undefined,
  }
  const save = async () => {
    setTried(true)
    if (wrong.user || wrong.role || !(await run(() => create(KINDS.roleBinding, invitation(place.namespace, form.user, form.role))))) return
    say(t('said.invited', { who: form.user, role: form.role }))
    onClose()
  }
  return (
    <FormDialog title={t('members.invite')} command={`paifang invite ${form.user || 'USER'} --${place.of} ${place.name} --role ${form.role || 'ROLE'}`} does={t('members.inviteDo')} busy={busy} error={error} onDo={() => void save()} onClose={onClose}>
      <Field id="invite-user" label={t('members.member')} help={t(mayList ? 'members.userHelp' : 'members.userHelpBlind')} wrong={tried ? wrong.user : undefined}>
        {mayList ? <UserSelect value={form.user} onChange={(user) => setForm({ ...form, user })} /> : <Input id="invite-user" autoFocus value={form.user} onChange={(event) => setForm({ ...form, user: event.target.value.trim() })} />}
      </Field>
      <RoleSelect place={place} value={form.role} wrong={tried || already ? wrong.role : undefined} onChange={(role) => setForm({ ...form, role })} />
    </FormDialog>
  )
}

function UserSelect({ value, onChange }: { value: string; onChange: (user: string) => void }) {
  const { t } = useWords()
  const users = useLive<User>(KINDS.user, '').objects
  const options = users.map(({ metadata: { name }, spec }) => ({ value: name, label: spec.displayName && spec.displayName !== name ? `${spec.displayName} (${name})` : name })).sort((a, b) => a.label.localeCompare(b.label))
  return <Select id="invite-user" aria-label={t('members.member')} showSearch={{ optionFilterProp: 'label' }} value={value || null} placeholder={t('members.choose')} options={options} onChange={(user: string) => onChange(user)} />
}

function RoleSelect({ place, value, wrong, onChange }: { place: PlaceOf; value: string; wrong: string | undefined; onChange: (role: string) => void }) {
  const { t, maybe, language } = useWords()
  const roles = useLive<Role>(KINDS.role, place.namespace).objects
  const about = (it: Role) => maybe(`role.${place.of}.${it.metadata.name}`, permissionsOf(it, maybe, (name) => permissionName(name, language)))
  const options = roles.map((it) => ({ value: it.metadata.name, label: it.metadata.name, about: about(it) })).sort((a, b) => a.value.localeCompare(b.value))
  return (
    <Field id="invite-role" label={t('members.role')} wrong={wrong} help={options.find((it) => it.value === value)?.about ?? t('members.roleHelp')}>
      <Select
        id="invite-role"
        aria-label={t('members.role')}
        value={value || null}
        placeholder={t('members.chooseRole')}
        options={options}
        optionRender={({ data }) => (
          <>
            <b>{data.label}</b>
            <div className="faint wrap">{data.about}</div>
          </>
        )}
        onChange={(role: string) => onChange(role)}
      />
    </Field>
  )
}

interface MemberProps {
  place: PlaceOf
  member: Member
  onClose: () => void
}

/** Takes that role of the place away, in each binding that gives it: as it is now, for a row may be older than what others have done. */
async function takeAway(place: PlaceOf, user: string, role: string) {
  const { items } = await ask<List<RoleBinding>>(listPath(KINDS.roleBinding, place.namespace))
  for (const binding of items) {
    if (binding.roleRef.name !== role || isKept(binding)) continue
    const left = withoutMember(binding, user)
    if (left === binding) continue
    await (left ? edit(KINDS.roleBinding, { ...binding, apiVersion: '', kind: '' }, { ...left, apiVersion: '', kind: '' }) : remove(KINDS.roleBinding, binding.metadata.name, place.namespace))
  }
}

export function RoleOfDialog({ place, member, onClose }: MemberProps) {
  const { t } = useWords()
  const { user: me } = useSession()
  const before = member.roleRef.name
  const [role, setRole] = useState(before)
  const { busy, error, run } = useDoing()
  // The new one first: nobody is without a role in between.
  const change = async () => {
    await create(KINDS.roleBinding, invitation(place.namespace, member.member, role)).catch((refusal: unknown) => {
      if ((refusal as { reason?: string }).reason !== 'AlreadyExists') throw refusal
    })
    await takeAway(place, member.member, before)
  }
  const save = async () => {
    if (!(await run(change))) return
    say(t('said.invited', { who: member.member, role }))
    onClose()
  }
  const at = `paifang invite ${member.member} --${place.of} ${place.name}`
  return (
    <FormDialog title={t('members.changeTitle', { who: member.member })} command={[`${at} --role ${role}`, `${at} --role ${before} --remove`]} does={t('do.save')} busy={busy} error={error} blocked={role === before} onDo={() => void save()} onClose={onClose}>
      {member.member === me && <Note tone="warn"><p>{t('members.self')}</p></Note>}
      <RoleSelect place={place} value={role} wrong={undefined} onChange={setRole} />
    </FormDialog>
  )
}

export function RemoveDialog({ place, member, onClose }: MemberProps) {
  const { t } = useWords()
  const { user: me } = useSession()
  const { busy, error, run } = useDoing()
  const finish = async () => {
    if (!(await run(() => takeAway(place, member.member, member.roleRef.name)))) return
    say(t('said.removed', { who: member.member }))
    onClose()
  }
  return (
    <FormDialog title={t('members.removeTitle', { who: member.member })} command={`paifang invite ${member.member} --${place.of} ${place.name} --role ${member.roleRef.name} --remove`} does={t('members.removeDo')} busy={busy} error={error} danger onDo={() => void finish()} onClose={onClose}>
      {member.member === me && <Note tone="warn"><p>{t('members.self')}</p></Note>}
      <p>{t('members.removeAbout', { who: member.member, role: member.roleRef.name, where: place.name })}</p>
    </FormDialog>
  )
}
