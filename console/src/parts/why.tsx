// Why a control is not there, and whom to ask: on demand.
import { Popover } from 'antd'
import { QuestionCircleOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ask } from '../api/client'
import { KINDS, listPath } from '../api/kinds'
import type { List, RoleBinding } from '../api/types'
import { useWords } from '../words'

export function Why({ project, children }: { project: string; children: ReactNode }) {
  const { t } = useWords()
  return (
    <Popover trigger="click" placement="bottomRight" title={t('why.title')} content={<Admins project={project}>{children}</Admins>}>
      <button className="bar-button">
        <QuestionCircleOutlined aria-hidden /> {t('why.ask')}
      </button>
    </Popover>
  )
}

/** Who could do it: the admins of the project, as far as one may see them. */
export function useAdmins(project: string): string[] {
  const { data } = useQuery({ queryKey: ['admins', project], queryFn: () => ask<List<RoleBinding>>(listPath(KINDS.roleBinding, project)), retry: false })
  const bound = (data?.items ?? []).filter((it) => it.roleRef.name === 'admin').flatMap((it) => it.subjects ?? [])
  return [...new Set(bound.filter((it) => it.kind === 'User').map((it) => it.name))]
}

function Admins({ project, children }: { project: string; children: ReactNode }) {
  const { t } = useWords()
  const admins = useAdmins(project)
  return (
    <div className="stack tight" style={{ maxWidth: 360 }}>
      <p>{children}</p>
      {admins.length > 0 && <p>{t('why.whom', { who: admins.join(', ') })}</p>}
    </div>
  )
}
