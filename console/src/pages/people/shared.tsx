// What the pages about people share: members of a place.
import { useMemo, useState, type ReactNode } from 'react'
import { Button } from 'antd'
import { SwapOutlined, UserAddOutlined, UserDeleteOutlined } from '@ant-design/icons'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useRights } from '../../api/rights'
import type { RoleBinding } from '../../api/types'
import { isKept, membersOf, type Member } from '../../forms/people'
import { Nothing, When } from '../../parts/basics'
import { Command } from '../../parts/command'
import { Actions } from '../../parts/menu'
import { ObjectTable, type Column } from '../../parts/table'
import { Why } from '../../parts/why'
import { useWords } from '../../words'
import { InviteDialog, RemoveDialog, RoleOfDialog } from './invite'

export interface PlaceOf {
  /** As the command line has it. */
  of: 'project' | 'workspace'
  name: string
  namespace: string
}

/** A list and what can be done with it: on a page of its own, or in a tab. */
export interface Listed {
  actions: ReactNode
  list: ReactNode
}

type Doing = { what: 'invite' } | { what: 'remove' | 'role'; member: Member } | null

export function useMembers(place: PlaceOf): Listed {
  const { t } = useWords()
  const rights = useRights(place.namespace)
  const live = useLive<RoleBinding>(KINDS.roleBinding, place.namespace)
  const [doing, setDoing] = useState<Doing>(null)
  const members = useMemo(() => ({ ...live, objects: live.objects.flatMap(membersOf) }), [live])
  const [mayInvite, mayRemove] = [rights.can('create', KINDS.roleBinding), rights.can('delete', KINDS.roleBinding)]
  const columns = useColumns()
  const menu = (it: Member) => {
    const changes = mayRemove && !it.inherited && it.subject === 'User'
    return (
      <Actions
        label={it.member}
        of={[
          changes && mayInvite && { key: 'role', text: t('members.change'), icon: <SwapOutlined aria-hidden />, run: () => setDoing({ what: 'role', member: it }) },
          changes && { key: 'remove', text: t('members.removeDo'), icon: <UserDeleteOutlined aria-hidden />, danger: true, run: () => setDoing({ what: 'remove', member: it }) },
        ]}
      />
    )
  }
  const close = () => setDoing(null)
  return {
    actions: (
      <>
        <Command text={`paifang ${place.of} members ${place.name}`} />
        {mayInvite ? (
          <Button type="primary" icon={<UserAddOutlined aria-hidden />} onClick={() => setDoing({ what: 'invite' })}>
            {t('members.invite')}
          </Button>
        ) : (
          rights.known && <Why project={place.namespace}>{t('members.mayNot')}</Why>
        )}
      </>
    ),
    list: (
      <>
        <ObjectTable label={t('members.title')} live={members} columns={columns} text={(it) => `${it.member} ${it.roleRef.name}`} menu={menu} empty={<Nothing title={t('members.none')}>{t('members.noneAbout')}</Nothing>} />
        {doing?.what === 'invite' && <InviteDialog place={place} bound={live.objects} onClose={close} />}
        {doing?.what === 'remove' && <RemoveDialog place={place} member={doing.member} onClose={close} />}
        {doing?.what === 'role' && <RoleOfDialog place={place} member={doing.member} onClose={close} />}
      </>
    ),
  }
}

function useColumns(): Column<Member>[] {
  const { t, maybe } = useWords()
  return useMemo(
    () => [
      { key: 'member', title: t('members.member'), cell: (it) => <><b>{it.member}</b>{it.subject !== 'User' && <div className="faint">{maybe(`subject.${it.subject}`, it.subject)}</div>}</>, by: (it) => it.member },
      { key: 'role', title: t('members.role'), cell: (it) => <span className="chip jade">{it.roleRef.name}</span>, by: (it) => it.roleRef.name },
      { key: 'by', title: t('members.by'), cell: (it) => (isKept(it) ? t('members.byWorkspace') : t('members.byInvitation')), wide: true },
      { key: 'since', title: t('members.since'), cell: (it) => <When at={it.metadata.creationTimestamp} />, wide: true },
    ],
    [t, maybe],
  )
}

/** As a tab has it. */
export const InTab = ({ actions, list }: Listed) => (
  <div className="stack">
    <div className="row end">{actions}</div>
    {list}
  </div>
)
