// Which project one works in, and going to another.
import { useState } from 'react'
import { Select } from 'antd'
import { ApartmentOutlined } from '@ant-design/icons'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useMine } from '../api/mine'
import { useSession } from '../api/session'
import { useWords } from '../words'

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

export default function ProjectSwitch({ project }: { project: string }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const { projects, all } = useMine()
  const { mode } = useSession()
  const [typed, setTyped] = useState('')
  const { pathname } = useLocation()
  const go = (next: string) => {
    // The same page of the other project, where that page is about no single object.
    const page = /^\/projects\/[^/]+\/([a-z]+)/.exec(pathname)?.[1] ?? ''
    void navigate({ to: `/projects/${next}${page ? `/${page === 'others' ? 'others/httproutes' : page}` : ''}` })
  }
  const named = projects.map(({ name, alias }) => ({ value: name, label: alias ? `${alias} (${name})` : name }))
  // A cluster tells nobody in which namespaces they have rights: who may not list them types one.
  const says = mode === 'cluster' && !all
  if (says && NAME.test(typed) && !named.some((it) => it.value === typed)) named.push({ value: typed, label: typed })
  return (
    <div className="field">
      <span className="faint row">
        <ApartmentOutlined aria-hidden /> {t('nav.project')}
      </span>
      <Select aria-label={t('nav.project')} value={project || null} placeholder={t(says ? 'nav.typeProject' : 'nav.noProject')} options={named} onChange={go} showSearch={{ optionFilterProp: 'label', onSearch: setTyped }} notFoundContent={t('nav.noProject')} popupMatchSelectWidth={false} />
    </div>
  )
}
