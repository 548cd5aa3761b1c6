// Users of the platform.
import { useMemo, useState } from 'react'
import { Button, Input, Modal } from 'antd'
import { DeleteOutlined, KeyOutlined, PauseCircleOutlined, PlayCircleOutlined, PlusOutlined } from '@ant-design/icons'
import { ask } from '../../api/client'
import { KINDS, objectPath } from '../../api/kinds'
import { useLive } from '../../api/live'
import { create, edit } from '../../api/objects'
import { useMay } from '../../api/rights'
import { useSession } from '../../api/session'
import type { Place, User } from '../../api/types'
import { isName } from '../../forms/names'
import { Code, Field, Note, Nothing, Page, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog, useDoing } from '../../parts/dialogs'
import { Actions } from '../../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'
import { Suspended } from './shared'

type Doing = { what: 'delete' | 'password'; user: User } | { what: 'create' } | null

export function Users() {
  const { t } = useWords()
  const { user: me } = useSession()
  const live = useLive<User>(KINDS.user, '')
  const [doing, setDoing] = useState<Doing>(null)
  const [mayCreate, mayPatch, mayDelete] = [useMay('create', KINDS.user), useMay('patch', KINDS.user), useMay('delete', KINDS.user)]
  const { run } = useDoing()
  const columns: Column<User>[] = useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<b>{it.spec.displayName || it.metadata.name}</b>} />, by: (it) => it.metadata.name },
      { key: 'login', title: t('users.login'), cell: (it) => <code>{it.metadata.name}</code>, by: (it) => it.metadata.name, wide: true },
      { key: 'roles', title: t('users.roles'), cell: (it) => it.status?.roles?.map((role) => <span key={role} className="chip jade">{role}</span>) ?? '—', wide: true },
      { key: 'projects', title: t('users.places'), cell: (it) => places([...(it.status?.workspaces ?? []), ...(it.status?.projects ?? [])]), wide: true },
      { key: 'state', title: t('table.state'), cell: (it) => <Suspended user={it} /> },
      ageColumn(t('meta.created')),
    ],
    [t],
  )
  const suspend = (user: User, suspended: boolean) => void run(() => edit(KINDS.user, user, { ...user, spec: { ...user.spec, suspended } })).then((done) => say(done ? t('said.saved', { what: user.metadata.name }) : t('error.other'), done ? 'good' : 'bad'))
  const menu = (it: User) => (
    <Actions
      label={it.metadata.name}
      of={[
        mayPatch && { key: 'password', text: t('users.setPassword'), icon: <KeyOutlined />, run: () => setDoing({ what: 'password', user: it }) },
        mayPatch && it.metadata.name !== me && (it.spec.suspended ? { key: 'resume', text: t('users.resume'), icon: <PlayCircleOutlined />, run: () => suspend(it, false) } : { key: 'suspend', text: t('users.suspend'), icon: <PauseCircleOutlined />, run: () => suspend(it, true) }),
        mayDelete && it.metadata.name !== me && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setDoing({ what: 'delete', user: it }) },
      ]}
    />
  )
  const make = mayCreate && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setDoing({ what: 'create' })}>
      {t('users.create')}
    </Button>
  )
  const close = () => setDoing(null)
  return (
    <Page title={t('users.title')} about={t('users.about')} crumbs={[{ text: t('nav.platform') }]} actions={<><Command text="paifang user list" />{make}</>}>
      <ObjectTable label={t('users.title')} live={live} columns={columns} text={(it) => `${it.spec.displayName ?? ''} ${it.spec.email ?? ''}`} menu={menu} empty={<Nothing title={t('users.none')} action={make} />} />
      {doing?.what === 'create' && <CreateDialog onClose={close} />}
      {doing?.what === 'password' && <PasswordDialog user={doing.user} onClose={close} />}
      {doing?.what === 'delete' && <DeleteDialog kind={KINDS.user} object={doing.user} word={t('users.one')} about={t('users.deleteAbout')} command={`paifang user delete ${doing.user.metadata.name}`} onClose={close} />}
    </Page>
  )
}

const places = (all: Place[]) => all.map((it) => `${it.alias || it.name} (${it.roles?.join(', ') ?? ''})`).join(', ') || '—'

/** Good for choosing another: 20 letters and digits, no two of which look alike. */
function oneTime(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  return [...crypto.getRandomValues(new Uint8Array(20))].map((byte) => letters[byte % letters.length]).join('')
}

const setPassword = (name: string, newPassword: string, mustChange: boolean) => ask(`${objectPath(KINDS.user, name)}/password`, { method: 'POST', body: { newPassword, mustChange } })

function CreateDialog({ onClose }: { onClose: () => void }) {
  const { t } = useWords()
  const [form, setForm] = useState({ name: '', displayName: '', email: '' })
  const [made, setMade] = useState('')
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const wrong = form.name.split('.').every(isName) ? undefined : t('wrong.name')
  const save = async () => {
    setTried(true)
    if (made) return onClose()
    if (wrong) return
    const password = oneTime()
    const spec = { ...(form.displayName && { displayName: form.displayName }), ...(form.email && { email: form.email }) }
    const done = await run(async () => {
      await create<User>(KINDS.user, { metadata: { name: form.name }, spec })
      await setPassword(form.name, password, true)
    })
    if (done) setMade(password)
  }
  return (
    <Modal open title={t('users.create')} okText={t(made ? 'do.close' : 'do.create')} okButtonProps={{ loading: busy }} onOk={() => void save()} onCancel={onClose} footer={(buttons) => <div className="row" style={{ justifyContent: 'space-between' }}><Command text={`paifang user create ${form.name || 'NAME'}`} /><span className="row">{buttons}</span></div>}>
      {made ? (
        <OneTime name={form.name} password={made} />
      ) : (
        <div className="stack">
          <Field id="user-name" label={t('users.login')} help={t('users.loginHelp')} wrong={tried ? wrong : undefined}>
            <Input id="user-name" autoFocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
          </Field>
          <Field id="user-display" label={t('users.display')}>
            <Input id="user-display" value={form.displayName} onChange={(event) => setForm({ ...form, displayName: event.target.value })} />
          </Field>
          <Field id="user-email" label={t('users.email')}>
            <Input id="user-email" type="email" value={form.email} onChange={(event) => setForm({ ...form, email: event.target.value.trim() })} />
          </Field>
          {Boolean(error) && <Trouble error={error} />}
        </div>
      )}
    </Modal>
  )
}

function OneTime({ name, password }: { name: string; password: string }) {
  const { t } = useWords()
  return (
    <div className="stack">
      <Note tone="info"><p>{t('users.oneTime', { name })}</p></Note>
      <Code>{password}</Code>
    </div>
  )
}

function PasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useWords()
  const name = user.metadata.name
  const [made, setMade] = useState('')
  const { busy, error, run } = useDoing()
  const finish = async () => {
    if (made) return onClose()
    const password = oneTime()
    if (await run(() => setPassword(name, password, true))) setMade(password)
  }
  return (
    <Modal open title={t('users.setPassword')} okText={t(made ? 'do.close' : 'users.makePassword')} okButtonProps={{ loading: busy }} onOk={() => void finish()} onCancel={onClose}>
      <div className="stack">
        {made ? <OneTime name={name} password={made} /> : <p>{t('users.passwordAbout', { name })}</p>}
        <Code>{`paifang user password ${name}`}</Code>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}
