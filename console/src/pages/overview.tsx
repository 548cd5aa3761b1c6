// Overview: problems first, then what goes through the gateways, then what there is.
import { useMemo, type ReactNode } from 'react'
import { Button } from 'antd'
import { PlusOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { ApiError } from '../api/client'
import { useAllServing, type Serving } from '../api/console'
import { KINDS, type Kind } from '../api/kinds'
import { useLive, type Live } from '../api/live'
import { useMine } from '../api/mine'
import { useMay, useRights } from '../api/rights'
import { useSession } from '../api/session'
import type { EndpointSlice, Event, Ingress, IngressGateway, Loose, Obj, Secret, Service } from '../api/types'
import { Loading, Nothing, Page, Trouble } from '../parts/basics'
import { Command } from '../parts/command'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { hostsText } from './routes/address'
import { useJudged } from './routes/judged'
import { countEndpoints } from './routes/flow'
import { useServing } from './gateways/serving'
import { isUrgent, LONG, useEndings, type Ending } from './overview/certificates'
import { Certificates, Problems, Recent } from './overview/lists'
import { useProblems } from './overview/problems'
import { Gateways, Traffic, useTraffic } from './overview/traffic'

export function Overview() {
  const { t } = useWords()
  const project = useParam('project')
  const mine = useMine()
  const { mode } = useSession()
  if (mine.loading) return <Loading />
  if (project) return <OfProject project={project} alias={mine.projects.find((it) => it.name === project)?.alias} />
  if (mine.all) return <OfAll projects={mine.projects.length} workspaces={mine.workspaces.length} />
  if (mine.projects.length > 0) return <Choose />
  return (
    <Page title={t('overview.title')}>
      <div className="card">
        <Nothing title={t(mode === 'cluster' ? 'overview.noProjectNamed' : 'overview.noProject')}>{t(mode === 'cluster' ? 'overview.noProjectNamedAbout' : 'overview.noProjectAbout')}</Nothing>
      </div>
    </Page>
  )
}

/** A member chooses among their projects. */
function Choose() {
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

function OfProject({ project, alias }: { project: string; alias: string | undefined }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const rights = useRights(project)
  const data = useData((kind) => (rights.can('list', kind) ? project : undefined))
  // Whoever is told nothing of a project must not be told that all is well.
  const { serving, error } = useServing(project)
  const refused = error instanceof ApiError && error.status === 403 && error
  const base = `/projects/${project}`
  const make = rights.can('create', KINDS.ingress) && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate({ to: `${base}/routes/new` })}>
      {t('routes.create')}
    </Button>
  )
  return (
    <Page title={alias || project} about={t('overview.about', { project })} actions={<><Command text={[`kubectl get ingress,services,events -n ${project}`, `paifang get access -n ${project}`]} />{make}</>}>
      {refused ? <Trouble error={refused} /> : rights.known ? <Body data={data} serving={serving} project={project} may={rights.can('patch', KINDS.ingress)} at={(it) => (it.scope === 'Project' || rights.can('get', KINDS.ingressGateway) ? `${base}/gateways/${it.namespace}/${it.name}` : undefined)} empty={rights.can('create', KINDS.ingressGateway) && <Link to={`${base}/gateways`}>{t('gateway.enable')}</Link>} /> : <Loading />}
    </Page>
  )
}

function OfAll({ projects, workspaces }: { projects: number; workspaces: number }) {
  const { t } = useWords()
  const secrets = useMay('list', KINDS.secret)
  const may = useMay('patch', KINDS.ingress)
  const data = useData((kind) => (kind === KINDS.secret && !secrets ? undefined : ''))
  const { data: serving } = useAllServing(true)
  const more = <Tile to="/workspaces" name={t('projects.title')} value={projects} under={t('overview.workspaces', { n: workspaces })} />
  return (
    <Page title={t('overview.platform')} about={t('overview.platformAbout')} actions={<Command text={['kubectl get ingress,igw --all-namespaces', 'paifang get gateways -A']} />}>
      <Body data={data} serving={serving ?? NONE} project="" may={may === true} at={(it) => `/cluster/gateways/${it.namespace}/${it.name}`} empty={<Link to="/cluster/gateways">{t('cluster.title')}</Link>} more={more} />
    </Page>
  )
}

const NONE: Serving[] = []
const TLS = { fieldSelector: 'type=kubernetes.io/tls' }

function useData(where: (kind: Kind) => string | undefined) {
  const secrets = useLive<Secret>(KINDS.secret, where(KINDS.secret), TLS)
  return {
    routes: useLive<Ingress>(KINDS.ingress, where(KINDS.ingress)),
    services: useLive<Service>(KINDS.service, where(KINDS.service)),
    slices: useLive<EndpointSlice>(KINDS.endpointSlice, where(KINDS.endpointSlice)),
    events: useLive<Event>(KINDS.event, where(KINDS.event)),
    gateways: useLive<IngressGateway>(KINDS.ingressGateway, where(KINDS.ingressGateway)),
    httpRoutes: useLive<Loose>(KINDS.httpRoute, where(KINDS.httpRoute)),
    apiGateways: useLive<Loose>(KINDS.gateway, where(KINDS.gateway)),
    tlsRoutes: useLive<Loose>(KINDS.tlsRoute, where(KINDS.tlsRoute)),
    virtualServices: useLive<Loose>(KINDS.virtualService, where(KINDS.virtualService)),
    istioGateways: useLive<Loose>(KINDS.istioGateway, where(KINDS.istioGateway)),
    secrets,
    sees: (kind: Kind) => where(kind) !== undefined,
  }
}

const ready = <T extends Obj>(live: Live<T>, seen: boolean) => (seen && !live.loading && !live.error ? live.objects : null)

interface BodyProps {
  data: ReturnType<typeof useData>
  serving: Serving[]
  project: string
  /** Whether they may change routes: then the API judges these for them. */
  may: boolean
  at: (gateway: Serving) => string | undefined
  empty: ReactNode
  more?: ReactNode
}

function Body({ data, serving, project, may, at, empty, more }: BodyProps) {
  const { routes, services, slices, events, gateways, httpRoutes, apiGateways, tlsRoutes, virtualServices, istioGateways, secrets, sees } = data
  const endings = useEndings(secrets.objects)
  const judged = useJudged(routes.objects, events.objects, may)
  const others = useMemo(
    () => ({ httproutes: httpRoutes.objects, tlsroutes: tlsRoutes.objects, gateways: apiGateways.objects, virtualservices: virtualServices.objects, 'istio-gateways': istioGateways.objects }),
    [httpRoutes.objects, tlsRoutes.objects, apiGateways.objects, virtualServices.objects, istioGateways.objects],
  )
  const of = { routes: routes.objects, services: ready(services, sees(KINDS.service)), slices: ready(slices, sees(KINDS.endpointSlice)), events: events.objects, gateways: gateways.objects, others, judged }
  const problems = useProblems(of, endings, serving, project)
  const metrics = useTraffic(serving)
  if (routes.loading) return <Loading />
  return (
    <div className="stack">
      <Problems of={problems} more={project ? `/projects/${project}/routes` : undefined} />
      <Tiles data={data} endings={endings} serving={serving} project={project} more={more} />
      <div className="dash">
        <div className="stack">
          {metrics.some((it) => it !== null) && <Traffic metrics={metrics} />}
          <Recent events={events.objects} project={project} />
        </div>
        <div className="stack">
          <Gateways serving={serving} objects={gateways.objects} metrics={metrics} at={at} empty={empty} />
          {sees(KINDS.secret) && <Certificates of={endings} project={project} />}
        </div>
      </div>
    </div>
  )
}

function Tiles({ data, endings, serving, project, more }: { data: BodyProps['data']; endings: Ending[]; serving: Serving[]; project: string; more: ReactNode }) {
  const { t } = useWords()
  const { routes, services, slices, secrets, sees } = data
  const to = (page: string) => (project ? `/projects/${project}/${page}` : undefined)
  const hosts = useMemo(() => new Set(routes.objects.flatMap(hostsText)).size, [routes.objects])
  const answering = useMemo(() => {
    const counts = new Map<string, boolean>()
    for (const slice of slices.objects) for (const [name, count] of countEndpoints([slice])) if (count.ready > 0) counts.set(`${slice.metadata.namespace}/${name}`, true)
    return services.objects.filter((it) => it.spec.type === 'ExternalName' || counts.has(`${it.metadata.namespace}/${it.metadata.name}`)).length
  }, [services.objects, slices.objects])
  const urgent = endings.filter(isUrgent).length
  const next = endings.find((it) => it.days !== null && it.days >= 0 && it.days <= LONG)
  return (
    <div className="grid" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 150px), 1fr))' }}>
      {more}
      <Tile to={to('routes')} name={t('routes.title')} value={routes.objects.length} under={t('overview.hosts', { n: hosts })} />
      {sees(KINDS.service) && <Tile to={to('services')} name={t('services.title')} value={services.objects.length} under={t('overview.answering', { n: answering })} />}
      <Tile to={project ? to('gateways') : '/cluster/gateways'} name={t('overview.gateways')} value={serving.length} under={t('overview.withAddress', { n: serving.filter((it) => it.addresses.length > 0).length })} />
      {sees(KINDS.secret) && <Tile to={to('secrets')} name={t('overview.certificates')} value={secrets.objects.length} under={urgent > 0 ? t('overview.endSoon', { n: urgent }) : next ? t('overview.nextEnds', { days: next.days ?? 0 }) : t('overview.noExpiry')} />}
    </div>
  )
}

function Tile({ to, name, value, under }: { to: string | undefined; name: string; value: number; under?: ReactNode }) {
  const inside = (
    <>
      <div className="name">{name}</div>
      <div className="value">{value.toLocaleString()}</div>
      <div className="under">{under || ' '}</div>
    </>
  )
  return to ? <Link to={to} className="card tile">{inside}</Link> : <div className="card tile">{inside}</div>
}
