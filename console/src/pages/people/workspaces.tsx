// Workspaces: those one is a member of, or all.
import { useState } from 'react'
import { Button } from 'antd'
import { PlusOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { KINDS } from '../../api/kinds'
import { useMine } from '../../api/mine'
import { useMay } from '../../api/rights'
import { Loading, Nothing, Page } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useWords } from '../../words'
import { NoPeople, usePeopleKinds } from './kinds'
import { PlaceDialog } from './place'

export function Workspaces() {
  const { t } = useWords()
  const { workspaces, projects, loading } = useMine()
  const kinds = usePeopleKinds()
  const may = useMay('create', KINDS.workspace) && kinds
  const [making, setMaking] = useState(false)
  // Of the workspaces whose projects one is in, too, though one is no member of them.
  const names = [...new Set([...workspaces.map((it) => it.name), ...projects.map((it) => it.workspace ?? '')])].filter(Boolean).sort()
  const make = may && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setMaking(true)}>
      {t('workspaces.create')}
    </Button>
  )
  return (
    <Page title={t('workspaces.title')} about={t('workspaces.about')} crumbs={[{ text: t('nav.platform') }]} actions={<><Command text="paifang workspace list" />{make}</>}>
      {loading || kinds === undefined ? (
        <Loading />
      ) : !kinds ? (
        <NoPeople />
      ) : names.length === 0 ? (
        <div className="card"><Nothing title={t('workspaces.none')} action={make}>{t('workspaces.noneAbout')}</Nothing></div>
      ) : (
        <div className="grid" style={{ '--least': '300px' } as React.CSSProperties}>
          {names.map((name) => {
            const place = workspaces.find((it) => it.name === name)
            const inside = projects.filter((it) => it.workspace === name)
            return (
              <section key={name} className="card tile wrap">
                <div className="name">{place?.alias ? name : t('workspaces.one')}</div>
                <h2 style={{ fontSize: 17 }}>{place ? <Link to={`/workspaces/${name}`}>{place.alias || name}</Link> : name}</h2>
                <div className="row" style={{ margin: '8px 0' }}>{place?.roles?.map((role) => <span key={role} className="chip jade">{role}</span>)}</div>
                <div className="faint">{t('workspaces.projects', { n: inside.length })}</div>
                <div className="row">{inside.slice(0, 6).map((it) => <Link key={it.name} to={`/projects/${it.name}`}>{it.alias || it.name}</Link>)}</div>
              </section>
            )
          })}
        </div>
      )}
      {making && <PlaceDialog of="workspace" onClose={() => setMaking(false)} />}
    </Page>
  )
}
