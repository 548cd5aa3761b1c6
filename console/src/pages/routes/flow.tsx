// Each rule as a request goes: listener, host, path, Service, endpoints.
import { useMemo } from 'react'
import { Link } from '@tanstack/react-router'
import { useHealth, type Health, type Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useMay } from '../../api/rights'
import type { EndpointSlice, Ingress, Service } from '../../api/types'
import { isForeign, shares, type BackendForm } from '../../forms/backends'
import { readSecond } from '../../forms/canary'
import { Card, Nothing, State } from '../../parts/basics'
import { useWords } from '../../words'
import { portOf } from '../gateways/state'
import { reaches, type Reach } from './address'

const SERVICE_NAME = 'kubernetes.io/service-name'

export interface Count {
  ready: number
  all: number
}

/** How many endpoints each Service has, and how many are ready. */
export function countEndpoints(slices: readonly EndpointSlice[]): Map<string, Count> {
  const by = new Map<string, Count>()
  for (const slice of slices) {
    const name = slice.metadata.labels?.[SERVICE_NAME] ?? ''
    const count = by.get(name) ?? { ready: 0, all: 0 }
    for (const endpoint of slice.endpoints ?? []) {
      count.all += 1
      if (endpoint.conditions?.ready !== false) count.ready += 1
    }
    by.set(name, count)
  }
  return by
}

export function useEndpoints(namespace: string): Map<string, Count> {
  const slices = useLive<EndpointSlice>(KINDS.endpointSlice, namespace)
  return useMemo(() => countEndpoints(slices.objects), [slices.objects])
}

interface FlowProps {
  route: Ingress
  /** Those of its paths. */
  canaries: readonly Ingress[]
  gateway: Serving | undefined
}

export function Flow({ route, canaries, gateway }: FlowProps) {
  const { t } = useWords()
  const namespace = route.metadata.namespace ?? ''
  const services = useLive<Service>(KINDS.service, namespace)
  const endpoints = useEndpoints(namespace)
  const all = reaches(route, gateway)
  const hosts = [...new Set(all.map((it) => it.host))]
  const { name } = route.metadata
  const may = useMay('get', KINDS.ingressGateway, gateway?.namespace, gateway?.name)
  const health = useHealth(gateway, may === true, { namespace, name })
  const known: Known = { namespace, health, services: !services.loading && !services.error ? services.objects : null, endpoints }
  if (all.length === 0) return <div className="card"><Nothing title={t('flow.none')}>{t('flow.noneAbout')}</Nothing></div>
  return (
    <div className="stack">
      {hosts.map((host) => (
        <Card key={host} title={<span className="row">{host || t('routes.anyHost')} {all.find((it) => it.host === host)?.protocol === 'https' && <span className="chip">https</span>}</span>}>
          <div className="stack">
            {all
              .filter((it) => it.host === host)
              .map((reach) => (
                <Line key={`${reach.path} ${reach.service} ${reach.port}`} reach={reach} targets={targetsOf(reach, canaries)} gateway={gateway} known={known} />
              ))}
          </div>
        </Card>
      ))}
    </div>
  )
}

interface Target {
  service: string
  port: string
  /** Of a hundred requests; `null` where there is no other. */
  share: number | null
  canary?: string | undefined
  /** What else is said of it, as a subset. */
  note?: string
  /** No Service of this project. */
  foreign?: boolean
}

function targetsOf({ written, path, pathType, service, port }: Reach, canaries: readonly Ingress[]): Target[] {
  const second = readSecond(canaries, written, { path, pathType })
  if (!second) return [{ service, port, share: null }]
  const share = second.share ?? 0
  return [{ service, port, share: 100 - share }, { service: second.service, port: second.port, share, canary: second.origin?.canary }]
}

interface Known {
  namespace: string
  /** `null` while, or where, they may not be seen. */
  services: readonly Service[] | null
  endpoints: Map<string, Count>
  /** As the gateway sees them, where it tells. */
  health: Health[] | undefined
}

function Line({ reach, targets, gateway, known }: { reach: Reach; targets: Target[]; gateway: Serving | undefined; known: Known }) {
  const { t } = useWords()
  return (
    <ol className="flow" aria-label={`${reach.host}${reach.path}`}>
      <li>
        <Step kind={t('flow.listener')} is={`${reach.protocol.toUpperCase()} ${(gateway && portOf(gateway, reach.protocol)) ?? ''}`} under={gateway?.addresses[0]} />
      </li>
      <li>
        <Step kind={t('rules.path')} is={<code>{reach.path}</code>} under={reach.secret && `${t('rules.secret')}: ${reach.secret}`} />
      </li>
      <Targets of={targets} known={known} />
    </ol>
  )
}

const Targets = ({ of, known }: { of: Target[]; known: Known }) => (
  <li className="targets">
    <ul>
      {of.map((target, index) => (
        <li key={index}>
          <Toward target={target} known={known} />
        </li>
      ))}
    </ul>
  </li>
)

/** Which requests, and where they may go, with the share of each: of an object that has backends of its own. */
export function Split({ project, about, backends }: { project: string; about: string; backends: BackendForm[] }) {
  const { t } = useWords()
  const services = useLive<Service>(KINDS.service, project)
  const known: Known = { namespace: project, services: !services.loading && !services.error ? services.objects : null, endpoints: useEndpoints(project), health: undefined }
  const share = shares(backends)
  const targets = backends.map((backend, index): Target => {
    const foreign = isForeign(backend, project)
    return { service: foreign ? backend.name : (backend.name.split('.')[0] ?? ''), port: backend.port, share: backends.length > 1 ? (share[index] ?? 0) : null, note: backend.note, foreign }
  })
  return (
    <ol className="flow" aria-label={about || t('others.allRequests')}>
      <li>
        <Step kind={t('others.requests')} is={about ? <code>{about}</code> : t('others.allRequests')} />
      </li>
      {targets.length > 0 ? <Targets of={targets} known={known} /> : <li><Step kind={t('others.leads')} is={t('try.itself')} /></li>}
    </ol>
  )
}

function Toward({ target: { service: name, port, share, canary, note, foreign = false }, known: { namespace, services, endpoints, health } }: { target: Target; known: Known }) {
  const { t } = useWords()
  const service = services?.find((it) => it.metadata.name === name)
  const missing = services !== null && !service && !foreign
  const { ready, all } = endpoints.get(name) ?? { ready: 0, all: 0 }
  const seen = health?.filter((it) => it.backend.startsWith(`${namespace}/${name}:`))
  const failing = (seen ?? []).flatMap((it) => it.endpoints.filter((one) => one.state === 'Failing'))
  const under = missing ? t('trouble.noService', { what: name }) : [port && `${t('rules.port')} ${port}`, note].filter(Boolean).join(' · ')
  return (
    <>
      <Step bad={missing} kind={<>{t('rules.service')}{share !== null && <span className="chip jade">{t('flow.share', { share })}</span>}</>} is={missing || foreign ? name : <Link to={`/projects/${namespace}/services/${name}`}>{name}</Link>} under={<>{under}{canary && <> · <Link to={`/projects/${namespace}/routes/${canary}`}>{canary}</Link></>}</>} />
      {foreign ? null : service?.spec.type === 'ExternalName' ? (
        <Step kind={t('flow.endpoints')} is={service.spec.externalName} />
      ) : (
        <Step bad={services !== null && (ready === 0 || failing.length > 0)} kind={t('flow.endpoints')} is={<State tone={ready === 0 ? 'bad' : failing.length > 0 ? 'warn' : 'good'}>{t('flow.ready', { ready, all })}</State>} under={<Seen of={seen} />} />
      )}
    </>
  )
}

/** Which endpoints fail, and why; else how much goes to them. */
function Seen({ of }: { of: Health[] | undefined }) {
  const { t } = useWords()
  if (!of?.length) return null
  const failing = of.flatMap((it) => it.endpoints.filter((one) => one.state === 'Failing'))
  if (failing.length > 0) return failing.map((it) => <div key={it.address}>{t('flow.failing', { address: it.address, why: t(`endpoint.${it.trouble ?? 'Unreachable'}`) })}</div>)
  const under = of.flatMap((it) => it.endpoints).reduce((count, it) => count + (it.inFlight ?? 0), 0)
  const connections = of.reduce((count, it) => count + it.connections, 0)
  return <>{[t('flow.connections', { n: connections }), ...(under > 0 ? [t('flow.inFlight', { n: under })] : [])].join(' · ')}</>
}

const Step = ({ kind, is, under, bad }: { kind: React.ReactNode; is: React.ReactNode; under?: React.ReactNode; bad?: boolean }) => (
  <div className={`step ${bad ? 'bad' : ''}`}>
    <div className="kind row">{kind}</div>
    <div className="is">{is}</div>
    {under && <div className="faint wrap in-text">{under}</div>}
  </div>
)
