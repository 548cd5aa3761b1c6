// Users of the platform.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { DeleteOutlined, EditOutlined, KeyOutlined, PauseCircleOutlined, PlayCircleOutlined, PlusOutlined } from '@ant-design/icons'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useMay } from '../../api/rights'
import { useSession } from '../../api/session'
import type { Place, User } from '../../api/types'
import { Loading, Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { Actions } from '../../parts/menu'
import { ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useWords } from '../../words'
import { NoPeople, usePeopleKinds } from './kinds'
import { PasswordDialog } from './password'
import { SuspendDialog } from './suspend'
import { UserDialog } from './user'

type Doing = { what: 'delete' | 'password' | 'edit' | 'suspend'; user: User } | { what: 'create' } | null

export function Users() {
  const { t } = useWords()
  const { user: me } = useSession()
  const kinds = usePeopleKinds()
  const live = useLive<User>(KINDS.user, kinds ? '' : undefined)
  const [doing, setDoing] = useState<Doing>(null)
  const [mayCreate, mayPatch, mayDelete] = [useMay('create', KINDS.user), useMay('patch', KINDS.user), useMay('delete', KINDS.user)]
  const columns = useColumns()
  const menu = (it: User) => {
    const [mine, suspended] = [it.metadata.name === me, it.spec.suspended]
    const begin = (what: 'delete' | 'password' | 'edit' | 'suspend') => () => setDoing({ what, user: it })
    return (
      <Actions
        label={it.metadata.name}
        of={[
          mayPatch && { key: 'edit', text: t('do.edit'), icon: <EditOutlined aria-hidden />, run: begin('edit') },
          mayPatch && !mine && { key: 'password', text: t('users.setPassword'), icon: <KeyOutlined aria-hidden />, run: begin('password') },
          mayPatch && !mine && { key: 'suspend', text: t(suspended ? 'users.resume' : 'users.suspend'), icon: suspended ? <PlayCircleOutlined aria-hidden /> : <PauseCircleOutlined aria-hidden />, run: begin('suspend') },
          mayDelete && !mine && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined aria-hidden />, danger: true, run: begin('delete') },
        ]}
      />
    )
  }
  const make = mayCreate && kinds && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setDoing({ what: 'create' })}>
      {t('users.create')}
    </Button>
  )
  const close = () => setDoing(null)
  return (
    <Page title={t('users.title')} about={t('users.about')} crumbs={[{ text: t('nav.platform') }]} actions={<><Command text="paifang user list" />{make}</>}>
      {kinds === undefined ? <Loading /> : !kinds ? <NoPeople /> : <ObjectTable label={t('users.title')} live={live} columns={columns} text={(it) => `${it.spec.displayName ?? ''} ${it.spec.email ?? ''}`} menu={menu} empty={<Nothing title={t('users.none')} action={make} />} />}
      {doing?.what === 'create' && <UserDialog onClose={close} />}
      {doing?.what === 'edit' && <UserDialog user={doing.user} onClose={close} />}
      {doing?.what === 'password' && <PasswordDialog name={doing.user.metadata.name} onClose={close} />}
      {doing?.what === 'suspend' && <SuspendDialog user={doing.user} onClose={close} />}
      {doing?.what === 'delete' && <DeleteDialog kind={KINDS.user} object={doing.user} word={t('users.one')} about={t('users.deleteAbout')} command={`paifang user delete ${doing.user.metadata.name}`} onClose={close} />}
    </Page>
  )
}

function useColumns(): Column<User>[] {
  const { t } = useWords()
  return useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <NameOf user={it} />, by: (it) => it.metadata.name },
      { key: 'roles', title: t('users.roles'), cell: (it) => (it.status?.roles?.length ? it.status.roles.map((role) => <span key={role} className="chip jade whole">{role}</span>) : '—'), wide: true },
      { key: 'places', title: t('users.places'), cell: (it) => <Places of={[...(it.status?.workspaces ?? []), ...(it.status?.projects ?? [])]} />, wide: true },
      { key: 'state', title: t('table.state'), cell: (it) => (it.spec.suspended ? <State tone="warn">{t('users.suspended')}</State> : <State tone="good">{t('users.active')}</State>), by: (it) => Number(it.spec.suspended ?? false) },
      ageColumn(t('meta.created')),
    ],
    [t],
  )
}

function NameOf({ user: { metadata, spec } }: { user: User }) {
  const called = spec.displayName && spec.displayName !== metadata.name
  return (
    <div className="name-cell">
      <b>{spec.displayName || metadata.name}</b>
      <div className="faint">{[called && metadata.name, spec.email].filter(Boolean).join(' · ')}</div>
    </div>
  )
}

const SHOWN = 3

function Places({ of }: { of: Place[] }) {
  const { t } = useWords()
  if (of.length === 0) return <>—</>
  return (
    <>
      {of.slice(0, SHOWN).map((it) => (
        <div key={`${it.workspace ?? ''}/${it.name}`} className="whole">
          {it.alias || it.name} {it.roles?.length ? <span className="faint">{it.roles.join(', ')}</span> : null}
        </div>
      ))}
      {of.length > SHOWN && <div className="faint">{t('routes.more', { n: of.length - SHOWN })}</div>}
    </>
  )
}
