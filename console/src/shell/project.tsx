// Which project one works in, and going to another.
import { Select } from 'antd'
import { ApartmentOutlined } from '@ant-design/icons'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useMine } from '../api/mine'
import { useWords } from '../words'

export default function ProjectSwitch({ project }: { project: string }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const { projects } = useMine()
  const { pathname } = useLocation()
  const go = (next: string) => {
    // The same page of the other project, where that page is about no single object.
    const page = /^\/projects\/[^/]+\/([a-z]+)/.exec(pathname)?.[1] ?? ''
    void navigate({ to: `/projects/${next}${page ? `/${page === 'others' ? 'others/httproutes' : page}` : ''}` })
  }
  const named = projects.map(({ name, alias }) => ({ value: name, label: alias ? `${alias} (${name})` : name }))
  return (
    <div className="field">
      <span className="faint row">
        <ApartmentOutlined aria-hidden /> {t('nav.project')}
      </span>
      <Select aria-label={t('nav.project')} value={project || null} placeholder={t('nav.noProject')} options={named} onChange={go} showSearch={{ optionFilterProp: 'label' }} notFoundContent={t('nav.noProject')} popupMatchSelectWidth={false} />
    </div>
  )
}
