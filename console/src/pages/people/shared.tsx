// What the pages about people share: members of a place, inviting and removing them.
import { useMemo, useState } from 'react'
import { Button, Input, Modal, Select } from 'antd'
import { UserAddOutlined, UserDeleteOutlined } from '@ant-design/icons'
import { ask } from '../../api/client'
import { KINDS, listPath } from '../../api/kinds'
import { useLive } from '../../api/live'
import { create, edit, remove } from '../../api/objects'
import { useMay, useRights } from '../../api/rights'
import type { List, Role, RoleBinding, User } from '../../api/types'
import { invitation, withoutMember } from '../../forms/people'
import { isName } from '../../forms/names'
import { Field, Nothing, State, Trouble, When } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { ObjectTable, type Column } from '../../parts/table'
import { say } from '../../parts/toasts'
import { Why } from '../../parts/why'
import { useWords } from '../../words'

export interface PlaceOf {
  /** As the command line has it. */
  of: 'project' | 'workspace'
  name: string
  namespace: string
}

const KEPT = 'paifang.dev/kept-for'

interface Member extends RoleBinding {
  member: string
  subject: string
  inherited: boolean
}

export function Members({ place }: { place: PlaceOf }) {
  const { t } = useWords()
  const rights = useRights(place.namespace)
  const live = useLive<RoleBinding>(KINDS.roleBinding, place.namespace)
  const [inviting, setInviting] = useState(false)
  const [leaving, setLeaving] = useState<Member | null>(null)
  const members = useMemo(() => ({ ...live, objects: live.objects.flatMap(membersOf) }), [live])
  const may = rights.can('create', KINDS.roleBinding)
  const columns: Column<Member>[] = useMemo(
    () => [
      { key: 'member', title: t('members.member'), cell: (it) => <b>{it.member}</b>, by: (it) => it.member },
      { key: 'role', title: t('members.role'), cell: (it) => <span className="chip jade">{it.roleRef.name}</span>, by: (it) => it.roleRef.name },
      { key: 'by', title: t('members.by'), cell: (it) => (it.inherited ? t('members.byWorkspace') : t('members.byInvitation')), wide: true },
      { key: 'since', title: t('members.since'), cell: (it) => <When at={it.metadata.creationTimestamp} />, wide: true },
    ],
    [t],
  )
  const menu = (it: Member) =>
    rights.can('delete', KINDS.roleBinding) && !it.inherited && it.subject === 'User' ? <Button type="text" icon={<UserDeleteOutlined />} aria-label={t('members.remove', { who: it.member })} onClick={() => setLeaving(it)} /> : null
  return (
    <div className="stack">
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Command text={`paifang ${place.of} members ${place.name}`} />
        {may ? <Button type="primary" icon={<UserAddOutlined />} onClick={() => setInviting(true)}>{t('members.invite')}</Button> : rights.known && <Why project={place.namespace}>{t('members.mayNot')}</Why>}
      </div>
      <ObjectTable label={t('members.title')} live={members} columns={columns} text={(it) => `${it.member} ${it.roleRef.name}`} menu={menu} empty={<Nothing title={t('members.none')}>{t('members.noneAbout')}</Nothing>} />
      {inviting && <InviteDialog place={place} onClose={() => setInviting(false)} />}
      {leaving && <RemoveDialog place={place} member={leaving} onClose={() => setLeaving(null)} />}
    </div>
  )
}

/** One row for each subject, named apart so that each has a key of its own. */
function membersOf(binding: RoleBinding): Member[] {
  const inherited = binding.metadata.labels?.[KEPT] !== undefined
  return (binding.subjects ?? []).map((subject) => ({ ...binding, metadata: { ...binding.metadata, name: `${subject.name} ${binding.metadata.name}` }, member: subject.name, subject: subject.kind, inherited }))
}

function InviteDialog({ place, onClose }: { place: PlaceOf; onClose: () => void }) {
  const { t } = useWords()
  const roles = useLive<Role>(KINDS.role, place.namespace).objects
  const mayList = useMay('list', KINDS.user)
  const users = useLive<User>(KINDS.user, mayList ? '' : undefined).objects
  const [form, setForm] = useState({ user: '', role: '' })
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const wrong = { user: form.user === '' ? t('wrong.required') : !form.user.split('.').every(isName) ? t('wrong.name') : undefined, role: form.role === '' ? t('wrong.required') : undefined }
  const save = async () => {
    setTried(true)
    if (wrong.user || wrong.role || !(await run(() => create(KINDS.roleBinding, invitation(place.namespace, form.user, form.role))))) return
    say(t('said.invited', { who: form.user, role: form.role }))
    onClose()
  }
  return (
    <Modal open title={t('members.invite')} okText={t('members.inviteDo')} okButtonProps={{ loading: busy }} onOk={() => void save()} onCancel={onClose} footer={(buttons) => <div className="row" style={{ justifyContent: 'space-between' }}><Command text={`paifang invite ${form.user || 'USER'} --${place.of} ${place.name} --role ${form.role || 'ROLE'}`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        <Field id="invite-user" label={t('members.member')} help={t(mayList ? 'members.userHelp' : 'members.userHelpBlind')} wrong={tried ? wrong.user : undefined}>
          {mayList ? (
            <Select id="invite-user" aria-label={t('members.member')} showSearch value={form.user || null} placeholder={t('members.choose')} options={users.map((it) => ({ value: it.metadata.name, label: it.spec.displayName && it.spec.displayName !== it.metadata.name ? `${it.spec.displayName} (${it.metadata.name})` : it.metadata.name }))} onChange={(user: string) => setForm({ ...form, user })} />
          ) : (
            <Input id="invite-user" autoFocus value={form.user} onChange={(event) => setForm({ ...form, user: event.target.value.trim() })} />
          )}
        </Field>
        <Field id="invite-role" label={t('members.role')} wrong={tried ? wrong.role : undefined} help={t('members.roleHelp')}>
          <Select id="invite-role" aria-label={t('members.role')} value={form.role || null} placeholder={t('members.chooseRole')} options={roles.map((it) => ({ value: it.metadata.name, label: it.metadata.name }))} onChange={(role: string) => setForm({ ...form, role })} />
        </Field>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}

function RemoveDialog({ place, member, onClose }: { place: PlaceOf; member: Member; onClose: () => void }) {
  const { t } = useWords()
  const { busy, error, run } = useDoing()
  const takeAway = async () => {
    // As it is now: the row may be older than what others have done.
    const { items } = await ask<List<RoleBinding>>(listPath(KINDS.roleBinding, place.namespace))
    for (const binding of items) {
      if (binding.roleRef.name !== member.roleRef.name || binding.metadata.labels?.[KEPT] !== undefined) continue
      const left = withoutMember(binding, member.member)
      if (left === binding) continue
      await (left ? edit(KINDS.roleBinding, { ...binding, apiVersion: '', kind: '' }, { ...left, apiVersion: '', kind: '' }) : remove(KINDS.roleBinding, binding.metadata.name, place.namespace))
    }
  }
  const finish = async () => {
    if (!(await run(takeAway))) return
    say(t('said.removed', { who: member.member }))
    onClose()
  }
  return (
    <Modal open title={t('members.removeTitle', { who: member.member })} okText={t('members.removeDo')} okButtonProps={{ danger: true, loading: busy }} onOk={() => void finish()} onCancel={onClose} footer={(buttons) => <div className="row" style={{ justifyContent: 'space-between' }}><Command text={`paifang invite ${member.member} --${place.of} ${place.name} --role ${member.roleRef.name} --remove`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        <p>{t('members.removeAbout', { who: member.member, role: member.roleRef.name, where: place.name })}</p>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}

export const Suspended = ({ user }: { user: User }) => {
  const { t } = useWords()
  return user.spec.suspended ? <State tone="warn">{t('users.suspended')}</State> : <State tone="good">{t('users.active')}</State>
}
