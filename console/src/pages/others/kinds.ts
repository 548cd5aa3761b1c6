// Kinds of Gateway API and Istio, shown and edited like routes.
import { KINDS, type Kind } from '../../api/kinds'
import type { Condition, Loose } from '../../api/types'
import { GENERATED_HOST } from '../../forms/route'
import { conditionTone } from '../../parts/tones'
import type { WordKey } from '../../words'
import { list, strings, text, type Any } from './loose'

export interface Other {
  slug: string
  kind: Kind
  title: string
  hosts: (object: Loose) => string[]
  leads: (object: Loose) => string[]
  /** What these two are called, where they are no hosts and Services. */
  called?: { hosts?: WordKey; leads: WordKey }
}

const backends = (object: Loose) => list(object.spec?.rules).flatMap((rule) => list(rule.backendRefs).map((it) => `${String(it.name)}:${String(it.port ?? '')}${it.weight !== undefined ? ` (${String(it.weight)})` : ''}`))
const destinations = (object: Loose) =>
  list(object.spec?.http).flatMap((rule) => list(rule.route).map((it) => {
    const to = (it.destination ?? {}) as { host?: string; subset?: string; port?: { number?: number } }
    return `${to.host ?? ''}${to.port?.number ? `:${to.port.number}` : ''}${to.subset ? ` · ${to.subset}` : ''}${it.weight !== undefined ? ` (${String(it.weight)})` : ''}`
  }))

/** Those that are made for it are its hosts, too. */
const hostnames = ({ spec, metadata }: Loose) => {
  const written = strings(spec?.hostnames)
  return written.length > 0 ? written : (metadata.annotations?.[GENERATED_HOST] ?? '').split(/[\s,]+/).filter(Boolean)
}

export const OTHERS: Other[] = [
  { slug: 'httproutes', kind: KINDS.httpRoute, title: 'HTTPRoute', hosts: hostnames, leads: backends },
  { slug: 'tlsroutes', kind: KINDS.tlsRoute, title: 'TLSRoute', hosts: (it) => strings(it.spec?.hostnames), leads: backends },
  { slug: 'gateways', kind: KINDS.gateway, title: 'Gateway (Gateway API)', hosts: (it) => list(it.spec?.listeners).map((one) => `${String(one.protocol)} ${String(one.port)}${one.hostname ? ` ${String(one.hostname)}` : ''}`), leads: (it) => [String(it.spec?.gatewayClassName ?? '')], called: { hosts: 'others.listeners', leads: 'others.class' } },
  { slug: 'virtualservices', kind: KINDS.virtualService, title: 'VirtualService', hosts: (it) => strings(it.spec?.hosts), leads: destinations },
  { slug: 'istio-gateways', kind: KINDS.istioGateway, title: 'Gateway (Istio)', hosts: (it) => list(it.spec?.servers).flatMap((one) => strings(one.hosts)), leads: (it) => list(it.spec?.servers).map((one) => { const port = (one.port ?? {}) as Any; return `${String(port.protocol)} ${String(port.number)}` }), called: { leads: 'gateway.ports' } },
]

/** Our own: Gateway API's class, and Istio's where that is served here. */
const OURS = ['paifang.dev/gateway-controller', 'istio.io/gateway-controller']
const OUR_CLASSES = ['paifang', 'istio']

/** Who serves it, where that is somebody else; empty where it is us, or nobody yet. */
export function servedByAnother({ kind, spec, status }: Loose): string {
  const controllers = list(status?.parents).map((it) => String(it.controllerName ?? '')).filter(Boolean)
  if (controllers.length > 0) return controllers.some((it) => OURS.includes(it)) ? '' : [...new Set(controllers)].join(', ')
  const named = kind === 'Gateway' && typeof spec?.gatewayClassName === 'string' ? spec.gatewayClassName : ''
  return named && !OUR_CLASSES.includes(named) ? named : ''
}

/** Whether requests come in by it, so that it has ways to visit it. */
export const isRoute = ({ kind }: Kind) => kind === 'HTTPRoute' || kind === 'TLSRoute' || kind === 'VirtualService'

export const otherBySlug = (slug: string) => OTHERS.find((it) => it.slug === slug)

/** Conditions of an object, whether of its own or of its parents. */
export function conditionsOf(object: Loose) {
  const own = list(object.status?.conditions)
  const parents = list(object.status?.parents).flatMap((it) => list(it.conditions))
  return [...own, ...parents] as unknown as Condition[]
}

export interface ListenerSaid {
  name: string
  /** As `HTTPS 443`. */
  port: string
  host: string
  routes: number | undefined
  /** The worst that is said of it. */
  bad: Condition | undefined
}

/** What a Gateway of Gateway API says of each listener. */
export const listenersOf = ({ spec, status }: Loose): ListenerSaid[] =>
  list(spec?.listeners).map((it): ListenerSaid => {
    const said = list(status?.listeners).find((one) => one.name === it.name)
    const all = (list(said?.conditions) as unknown as Condition[]).filter((one) => conditionTone(one) === 'warn')
    // That it is not programmed follows from the others.
    const bad = all.find((one) => one.type !== 'Programmed') ?? all[0]
    return { name: text(it.name), port: `${text(it.protocol)} ${text(it.port)}`, host: text(it.hostname), routes: said?.attachedRoutes as number | undefined, bad }
  })
