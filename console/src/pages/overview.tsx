// Overview: problems first, then what there is, then what goes through it.
import { useMemo, type ReactNode } from 'react'
import { Link } from '@tanstack/react-router'
import { useAllServing, useCertificate, useMetrics, type Serving } from '../api/console'
import { KINDS } from '../api/kinds'
import { useLive } from '../api/live'
import { useMine } from '../api/mine'
import { useRights } from '../api/rights'
import type { Event, Ingress, IngressGateway, Secret, Service } from '../api/types'
import { Card, Loading, Nothing, Page, State } from '../parts/basics'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { gatewayOf, hostsText } from './routes/address'
import { troubles, warningsByObject } from './routes/problems'
import { milliseconds, perCent } from './gateways/numbers'
import { useServing } from './gateways/serving'

const WAITING = undefined
/** Days beyond which nobody counts them. */
const LONG = 3650

export function Overview() {
  const { t } = useWords()
  const project = useParam('project')
  const mine = useMine()
  if (mine.loading) return <Loading />
  if (!project && !mine.all) return mine.projects[0] ? <OneOf /> : <Page title={t('overview.title')}><div className="card"><Nothing title={t('overview.noProject')}>{t('overview.noProjectAbout')}</Nothing></div></Page>
  const alias = mine.projects.find((it) => it.name === project)?.alias
  return (
    <Page title={project ? alias || project : t('overview.platform')} about={project ? t('overview.about', { project }) : t('overview.platformAbout')}>
      {project ? <OfProject project={project} /> : <OfAll />}
    </Page>
  )
}

/** A member chooses among their projects. */
function OneOf() {
  const { t } = useWords()
  const { projects } = useMine()
  return (
    <Page title={t('overview.yours')} about={t('overview.yoursAbout')}>
      <div className="grid" style={{ '--least': '280px' } as React.CSSProperties}>
        {projects.map((it) => (
          <Link key={it.name} to={`/projects/${it.name}`} className="card tile">
            <div className="name">{it.workspace}</div>
            <div className="strong" style={{ fontSize: 17 }}>{it.alias || it.name}</div>
            <div className="row" style={{ marginTop: 8 }}>{it.roles?.map((role) => <span key={role} className="chip jade">{role}</span>)}</div>
          </Link>
        ))}
      </div>
    </Page>
  )
}

function OfProject({ project }: { project: string }) {
  const rights = useRights(project)
  const can = (kind: (typeof KINDS)[keyof typeof KINDS]) => (rights.can('list', kind) ? project : WAITING)
  const { serving } = useServing(project)
  const data = useData(can(KINDS.ingress), can(KINDS.service), can(KINDS.event), can(KINDS.ingressGateway), rights.known)
  const secrets = useLive<Secret>(KINDS.secret, can(KINDS.secret))
  return <Body of={data} serving={serving} secrets={secrets.objects.filter((it) => it.type === 'kubernetes.io/tls')} project={project} />
}

function OfAll() {
  const data = useData('', '', '', '', true)
  const { data: serving } = useAllServing(true)
  return <Body of={data} serving={serving ?? []} secrets={[]} project="" />
}

function useData(...[routes, services, events, gateways, known]: [string | undefined, string | undefined, string | undefined, string | undefined, boolean]) {
  return {
    routes: useLive<Ingress>(KINDS.ingress, routes),
    services: useLive<Service>(KINDS.service, services),
    events: useLive<Event>(KINDS.event, events),
    gateways: useLive<IngressGateway>(KINDS.ingressGateway, gateways),
    known,
  }
}

interface Problem {
  where: string
  to: string
  text: string
}

function useProblems(of: ReturnType<typeof useData>, serving: Serving[], project: string): Problem[] {
  const { t } = useWords()
  return useMemo(() => {
    const warnings = warningsByObject(of.events.objects)
    const ofRoutes = of.routes.objects.flatMap((it) => {
      const { namespace = '', name } = it.metadata
      const byName = of.services.loading || of.services.error ? null : new Map(of.services.objects.filter((one) => one.metadata.namespace === namespace).map((one) => [one.metadata.name, one]))
      return troubles(it, byName, warnings, project === '' || gatewayOf(it, serving) !== undefined).map((one) => ({ where: project ? name : `${namespace}/${name}`, to: `/projects/${namespace}/routes/${name}`, text: t(`trouble.${one.reason}`, { what: one.text }) }))
    })
    const ofGateways = of.gateways.objects.flatMap((it) => (it.status?.conditions ?? []).filter((one) => (one.type === 'OptionsIgnored') === (one.status === 'True') && one.status !== 'Unknown').map((one) => ({ where: it.metadata.name, to: `/projects/${it.metadata.namespace}/gateways/${it.metadata.namespace}/${it.metadata.name}`, text: one.message ?? one.type })))
    return [...ofGateways, ...ofRoutes]
  }, [t, of.routes.objects, of.services.objects, of.services.loading, of.services.error, of.events.objects, of.gateways.objects, serving, project])
}

function Body({ of, serving, secrets, project }: { of: ReturnType<typeof useData>; serving: Serving[]; secrets: Secret[]; project: string }) {
  const { t } = useWords()
  const problems = useProblems(of, serving, project)
  const base = project ? `/projects/${project}` : ''
  if (!of.known || of.routes.loading) return <Loading />
  const hosts = new Set(of.routes.objects.flatMap(hostsText))
  return (
    <div className="stack">
      <Problems of={problems} />
      <div className="grid">
        <Tile to={project ? `${base}/routes` : undefined} name={t('routes.title')} value={of.routes.objects.length} under={t('overview.hosts', { n: hosts.size })} />
        <Tile to={project ? `${base}/services` : undefined} name={t('services.title')} value={of.services.objects.length} />
        <Tile to={project ? `${base}/gateways` : '/cluster/gateways'} name={t('overview.gateways')} value={serving.length || of.gateways.objects.length} under={serving[0]?.addresses.join(', ')} />
        {project && <Tile to={`${base}/secrets`} name={t('overview.certificates')} value={secrets.length} under={secrets.length > 0 ? <Expiring project={project} secrets={secrets} /> : undefined} />}
      </div>
      {serving.map((it) => (
        <Traffic key={`${it.namespace}/${it.name}`} serving={it} base={project ? `${base}/gateways` : '/cluster/gateways'} />
      ))}
    </div>
  )
}

function Problems({ of }: { of: Problem[] }) {
  const { t } = useWords()
  return (
    <Card title={<span className="row">{t('overview.problems')} {of.length === 0 ? <State tone="good">{t('overview.noProblems')}</State> : <State tone="warn">{String(of.length)}</State>}</span>} bare={of.length > 0}>
      {of.length === 0 ? (
        <p className="soft">{t('overview.allFine')}</p>
      ) : (
        <ul className="inside stack tight">
          {of.slice(0, 8).map((it) => (
            <li key={`${it.to}${it.text}`} className="row" style={{ alignItems: 'baseline' }}>
              <Link to={it.to} className="strong">{it.where}</Link>
              <span className="soft wrap" style={{ flex: '1 1 240px' }}>{it.text}</span>
            </li>
          ))}
          {of.length > 8 && <li className="faint">{t('routes.more', { n: of.length - 8 })}</li>}
        </ul>
      )}
    </Card>
  )
}

function Tile({ to, name, value, under }: { to: string | undefined; name: string; value: number; under?: ReactNode }) {
  const inside = (
    <>
      <div className="name">{name}</div>
      <div className="value">{value}</div>
      <div className="under">{under || ' '}</div>
    </>
  )
  return to ? <Link to={to} className="card tile">{inside}</Link> : <div className="card tile">{inside}</div>
}

/** The certificate that is asked about first: of many, the first alone is read here; the rest is on their page. */
function Expiring({ project, secrets }: { project: string; secrets: Secret[] }) {
  const { t } = useWords()
  const { data } = useCertificate(project, secrets[0]?.metadata.name ?? '', [])
  const days = data?.notAfter ? Math.floor((Date.parse(data.notAfter) - Date.now()) / 86_400_000) : null
  if (days === null || days > LONG) return null
  return days < 30 ? <State tone="warn">{t('overview.expires', { name: secrets[0]?.metadata.name ?? '', days })}</State> : <>{t('overview.expires', { name: secrets[0]?.metadata.name ?? '', days })}</>
}

function Traffic({ serving, base }: { serving: Serving; base: string }) {
  const { t } = useWords()
  const { data } = useMetrics(serving.namespace, serving.name, '5m', 5_000)
  const title = t(serving.scope === 'Project' ? 'gateway.ofProject' : serving.scope === 'Cluster' ? 'gateway.ofCluster' : 'gateway.ofWorkspace')
  if (!data) return null
  const { total } = data
  const facts: [string, string][] = [
    [t('monitoring.requests'), total.requests.toLocaleString()],
    [t('monitoring.success'), perCent(total.requests - total.s4xx - total.s5xx, total.requests)],
    ['5xx', String(total.s5xx)],
    ['P95', milliseconds(total.p95)],
  ]
  return (
    <Card title={<span className="row">{title} <span className="faint">{t('window.5m')}</span></span>} extra={<Link to={`${base}/${serving.namespace}/${serving.name}`}>{t('do.view')}</Link>}>
      <div className="grid" style={{ '--least': '140px' } as React.CSSProperties}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <div className="faint">{name}</div>
            <div className="strong" style={{ fontSize: 20 }}>{value}</div>
          </div>
        ))}
      </div>
    </Card>
  )
}
