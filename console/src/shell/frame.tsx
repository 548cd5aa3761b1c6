// The frame around every page but the sign-in: bar, side menu, and the page.
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { Dropdown } from 'antd'
import { AppstoreOutlined, BankOutlined, CloudServerOutlined, ClusterOutlined, DashboardOutlined, DeploymentUnitOutlined, DownOutlined, ExperimentOutlined, GlobalOutlined, HistoryOutlined, IdcardOutlined, KeyOutlined, MenuOutlined, NodeIndexOutlined, PartitionOutlined, TeamOutlined, UserOutlined } from '@ant-design/icons'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { KINDS } from '../api/kinds'
import { useMine } from '../api/mine'
import { useMay } from '../api/rights'
import { signOut, useSession } from '../api/session'
import { useWords } from '../words'
import { useFocusReturn } from './focus'
import { Mark, Switches } from './language'
import { useParam } from './params'

const ProjectSwitch = lazy(() => import('./project'))
const LAST = 'paifang.project'

export function Frame() {
  const { t } = useWords()
  const [open, setOpen] = useState(false)
  const { pathname } = useLocation()
  useEffect(() => setOpen(false), [pathname])
  useFocusReturn()
  return (
    <div className="frame">
      <a className="skip" href="#main">
        {t('shell.skip')}
      </a>
      <header className="bar">
        <button className="bar-button menu-button" aria-label={t('shell.menu')} aria-expanded={open} onClick={() => setOpen(!open)}>
          <MenuOutlined aria-hidden />
        </button>
        <Link to="/" className="brand">
          <Mark />
          <span>Paifang</span>
        </Link>
        <span className="space" />
        <Switches />
        <Person />
      </header>
      <button className={`veil ${open ? 'open' : ''}`} aria-label={t('do.close')} onClick={() => setOpen(false)} />
      <Side open={open} />
      <main className="main" id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  )
}

function Person() {
  const { t } = useWords()
  const navigate = useNavigate()
  const { user, displayName } = useSession()
  const leave = () => void signOut().then(() => navigate({ to: '/sign-in' }))
  const items = [
    { key: 'account', label: t('account.title'), onClick: () => void navigate({ to: '/account' }) },
    { key: 'out', label: t('shell.signOut'), onClick: leave },
  ]
  return (
    <Dropdown menu={{ items }} trigger={['click']} placement="bottomRight">
      <button className="bar-button" aria-label={`${t('shell.you')}: ${displayName || user}`}>
        <UserOutlined aria-hidden />
        <span className="label">{displayName || user}</span>
        <DownOutlined aria-hidden style={{ fontSize: 10 }} />
      </button>
    </Dropdown>
  )
}

function Side({ open }: { open: boolean }) {
  const { t } = useWords()
  const { projects, all } = useMine()
  const users = useMay('list', KINDS.user)
  const cluster = useMay('list', KINDS.ingressGateway)
  const project = useProject(projects.map((it) => it.name), projects.find((it) => it.workspace)?.name)
  const at = `/projects/${project}`
  return (
    <nav className={`side ${open ? 'open' : ''}`} aria-label={t('nav.main')}>
      <Suspense fallback={<div style={{ height: 66 }} />}>
        <ProjectSwitch project={project} />
      </Suspense>
      {project && (
        <>
          <ul>
            <Item to={at} exact icon={<DashboardOutlined aria-hidden />}>
              {t('overview.title')}
            </Item>
          </ul>
          <h2>{t('nav.workloads')}</h2>
          <ul>
            <Item to={`${at}/routes`} icon={<PartitionOutlined aria-hidden />}>
              {t('routes.title')}
            </Item>
            <Item to={`${at}/services`} icon={<AppstoreOutlined aria-hidden />}>
              {t('services.title')}
            </Item>
            <Item to={`${at}/others/httproutes`} match={`${at}/others`} icon={<NodeIndexOutlined aria-hidden />}>
              {t('others.title')}
            </Item>
            <Item to={`${at}/secrets`} icon={<KeyOutlined aria-hidden />}>
              {t('secrets.title')}
            </Item>
            <Item to={`${at}/events`} icon={<HistoryOutlined aria-hidden />}>
              {t('events.title')}
            </Item>
            <Item to={`${at}/try`} icon={<ExperimentOutlined aria-hidden />}>
              {t('try.title')}
            </Item>
          </ul>
          <h2>{t('nav.settings')}</h2>
          <ul>
            <Item to={`${at}/gateways`} icon={<DeploymentUnitOutlined aria-hidden />}>
              {t('gateways.title')}
            </Item>
            <Item to={`${at}/members`} icon={<TeamOutlined aria-hidden />}>
              {t('members.title')}
            </Item>
            <Item to={`${at}/roles`} icon={<IdcardOutlined aria-hidden />}>
              {t('roles.title')}
            </Item>
          </ul>
        </>
      )}
      <h2>{t('nav.platform')}</h2>
      <ul>
        {all && (
          <Item to="/" exact icon={<GlobalOutlined aria-hidden />}>
            {t('overview.platform')}
          </Item>
        )}
        <Item to="/workspaces" icon={<BankOutlined aria-hidden />}>
          {t('workspaces.title')}
        </Item>
        {users && (
          <Item to="/users" icon={<UserOutlined aria-hidden />}>
            {t('users.title')}
          </Item>
        )}
      </ul>
      <h2>{t('nav.cluster')}</h2>
      <ul>
        {cluster && (
          <Item to="/cluster/gateways" icon={<ClusterOutlined aria-hidden />}>
            {t('cluster.title')}
          </Item>
        )}
        <Item to="/cluster/pools" icon={<CloudServerOutlined aria-hidden />}>
          {t('pools.title')}
        </Item>
      </ul>
    </nav>
  )
}

function Item({ to, match, icon, exact, children }: { to: string; match?: string; icon: ReactNode; exact?: boolean; children: ReactNode }) {
  const { pathname } = useLocation()
  const active = exact ? pathname === to : pathname === (match ?? to) || pathname.startsWith(`${match ?? to}/`)
  return (
    <li>
      <Link to={to} className={active ? 'current' : ''} activeProps={{ className: '', 'aria-current': undefined }} {...(active && { 'aria-current': 'page' as const })}>
        <span aria-hidden>{icon}</span>
        {children}
      </Link>
    </li>
  )
}

/** The project of the address, or else the one that was looked at last. */
function useProject(known: string[], first: string | undefined): string {
  const here = useParam('project')
  useEffect(() => {
    if (here) localStorage.setItem(LAST, here)
  }, [here])
  if (here) return here
  const last = localStorage.getItem(LAST) ?? ''
  return known.includes(last) ? last : (first ?? known[0] ?? '')
}
