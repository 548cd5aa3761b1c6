// Gateways of Gateway API and of Istio, and where each is reached, as their statuses say. `crates/access` knows the same for `paifang get access`.
import type { Serving } from '../../api/console'
import type { AccessType, Condition, IngressGateway, Loose, Service } from '../../api/types'
import { conditionTone } from '../../parts/tones'
import type { Values } from '../../words'
import { list, strings, text, type Any } from './loose'

/** A sentence of `words/reasons.json`. */
export interface Said {
  reason: 'ParentIsNoGateway' | 'GatewayMissing' | 'GatewayRefuses' | 'NoListenerOfGateway' | 'NoServerOfGateway' | 'GatewayUnseen' | 'NoAddress' | 'NoAddressYet'
  values: Values
}

export interface Beside {
  /** The Gateways that may be seen, by `NAMESPACE/NAME`. */
  parents: ReadonlyMap<string, Loose>
  /** What serves the project's routes: everybody's gateway, and others that were asked for. */
  serving: readonly Serving[]
  requested: readonly IngressGateway[]
  services: readonly Service[]
}

/** One host of a route at one Gateway. */
export interface Place {
  host: string
  protocol: 'http' | 'https'
  /** The Secret that ends TLS there. */
  secret: string
  gateway: Serving | undefined
  note?: Said
}

export const EVERY = '*'

const covers = (wide: string, narrow: string) => wide === EVERY || wide === narrow || (wide.startsWith('*') && narrow.length > wide.length - 1 && narrow.endsWith(wide.slice(1)))

/** Whether two domains have a name in common. */
export const meet = (one: string, other: string) => covers(one, other) || covers(other, one)

/** The narrower of two domains that meet. */
export function narrower(one: string, other: string): string {
  const wide = (it: string) => it === EVERY || it.startsWith('*.')
  if (!wide(one)) return one
  return !wide(other) || other.length > one.length ? other : one
}

/** The ports that are reached at others, as `Programmed` says. */
function moved(conditions: unknown): Map<number, number> {
  const message = list(conditions).find((it) => it.type === 'Programmed')?.message
  return new Map([...text(message).matchAll(/port (\d+) is reached as port (\d+)/g)].map(([, port, real]) => [Number(port), Number(real)]))
}

const NODE_PORTS = { from: 30_000, to: 32_767 }
const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name'

const namespaceOf = ({ metadata }: Loose) => metadata.namespace ?? ''
const nodesOf = (serving: readonly Serving[]) => [...new Set(serving.flatMap((it) => it.nodes))]
const portsOf = (http: number | undefined, https: number | undefined): Serving['ports'] => [...(http ? [{ name: 'http', port: 80, reachedAt: http }] : []), ...(https ? [{ name: 'https', port: 443, reachedAt: https }] : [])]

/** A Gateway of Gateway API, as a gateway of its own. */
function ofGateway(gateway: Loose, http: number | undefined, https: number | undefined, { services, serving }: Beside): Serving {
  const { name } = gateway.metadata
  const own = services.find((it) => it.metadata.namespace === namespaceOf(gateway) && it.metadata.labels?.[GATEWAY_NAME] === name)
  const first = http ?? https ?? 0
  const guessed: AccessType = first >= NODE_PORTS.from && first <= NODE_PORTS.to ? 'NodePort' : 'LoadBalancer'
  const addresses = list(gateway.status?.addresses).map((it) => text(it.value))
  return { namespace: namespaceOf(gateway), name, scope: 'Project', type: (own?.spec.type as AccessType | undefined) ?? guessed, addresses, nodes: nodesOf(serving), ports: portsOf(http, https) }
}

/** What keeps a Gateway from having an address. */
function whyNowhere({ status }: Loose): Said {
  const all = [...list(status?.conditions), ...list(status?.listeners).flatMap((it) => list(it.conditions))] as unknown as Condition[]
  const bad = all.find((it) => conditionTone(it) === 'warn')
  return bad ? { reason: 'NoAddress', values: { problem: bad.message ?? '' } } : { reason: 'NoAddressYet', values: {} }
}

/** Whether a reference to a Gateway means this listener, and it speaks what the route is about. */
function isMeant(listener: Any, parent: Any, kind: string): boolean {
  const [section, port] = [text(parent.sectionName), parent.port]
  const speaks = kind === 'TLSRoute' ? listener.protocol === 'TLS' : listener.protocol === 'HTTP' || listener.protocol === 'HTTPS'
  return speaks && (section === '' || section === listener.name) && (port === undefined || port === listener.port)
}

/** Where a parent serves these hosts of a route. */
export function placesOf(kind: string, route: Loose, parent: Any, hosts: string[], beside: Beside): Place[] {
  const [at, name] = [text(parent.namespace) || namespaceOf(route), text(parent.name)]
  const nowhere = (note: Said) => hosts.map((host): Place => ({ host, protocol: 'http', secret: '', gateway: undefined, note }))
  if (parent.kind !== undefined && parent.kind !== 'Gateway') return nowhere({ reason: 'ParentIsNoGateway', values: { parent: `${text(parent.kind)} ${at}/${name}` } })
  const gateway = beside.parents.get(`${at}/${name}`)
  if (!gateway) return nowhere({ reason: 'GatewayMissing', values: { gateway: `${at}/${name}` } })
  const refused = list(route.status?.parents)
    .filter((it) => text((it.parentRef as Any | undefined)?.name) === name && text((it.parentRef as Any | undefined)?.sectionName) === text(parent.sectionName))
    .flatMap((it) => list(it.conditions))
    .find((it) => it.type === 'Accepted' && it.status === 'False')
  if (refused) return nowhere({ reason: 'GatewayRefuses', values: { gateway: `${at}/${name}`, why: `${text(refused.reason)}: ${text(refused.message)}` } })
  const found = new Map<string, { http?: number; https?: number; secret?: string }>()
  for (const listener of list(gateway.spec?.listeners).filter((it) => isMeant(it, parent, kind))) {
    const own = text(listener.hostname) || EVERY
    const said = list(gateway.status?.listeners).find((it) => it.name === listener.name)
    const port = Number(listener.port)
    const real = moved(said?.conditions).get(port) ?? port
    for (const host of hosts.filter((it) => meet(it, own))) {
      const one = found.get(narrower(host, own)) ?? {}
      found.set(narrower(host, own), one)
      if (listener.protocol === 'HTTP') one.http ??= real
      else {
        one.https ??= real
        const tls = (listener.tls ?? {}) as Any
        if (tls.mode !== 'Passthrough') one.secret ??= text(list(tls.certificateRefs)[0]?.name)
      }
    }
  }
  if (found.size === 0) return nowhere({ reason: 'NoListenerOfGateway', values: { gateway: `${at}/${name}` } })
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([host, { http, https, secret }]): Place => {
    const serving = ofGateway(gateway, http, https, beside)
    return { host, protocol: secret !== undefined || kind === 'TLSRoute' ? 'https' : 'http', secret: secret ?? '', gateway: serving, ...(serving.addresses.length === 0 && { note: whyNowhere(gateway) }) }
  })
}

/** What everybody's gateway is labelled with. */
const EVERYBODYS = new Set(['istio=ingressgateway', 'app=istio-ingressgateway'])

/** Whose gateway an Istio Gateway is served by: the one that its selector means. */
function selected(gateway: Loose, { serving, requested, services }: Beside): Serving | undefined {
  const selector = Object.entries((gateway.spec?.selector ?? {}) as Record<string, string>)
  const has = (labels: Record<string, string> | undefined) => selector.length > 0 && selector.every(([key, value]) => labels?.[key] === value)
  const request = requested.find((it) => it.metadata.namespace === namespaceOf(gateway) && has((it.spec as { labels?: Record<string, string> }).labels))
  const own = request && serving.find((it) => it.namespace === request.metadata.namespace && it.name === request.metadata.name)
  const shared = selector.every(([key, value]) => EVERYBODYS.has(`${key}=${value}`)) ? serving.find((it) => it.scope === 'Cluster') : undefined
  if (own ?? shared) return own ?? shared
  const service = services.find((it) => has(it.spec.selector) && it.spec.type !== 'ClusterIP')
  const addresses = (service?.status?.loadBalancer?.ingress ?? []).map((it) => it.ip ?? it.hostname ?? '').filter(Boolean)
  return service && { namespace: namespaceOf(gateway), name: gateway.metadata.name, scope: 'Project', type: (service.spec.type as AccessType | undefined) ?? 'LoadBalancer', addresses, nodes: nodesOf(serving), ports: [] }
}

/** Where a Gateway of Istio serves a host of a VirtualService. */
export function serversOf(at: string, host: string, beside: Beside): Place {
  const nowhere = (note: Said): Place => ({ host, protocol: 'http', secret: '', gateway: undefined, note })
  const gateway = beside.parents.get(at)
  if (!gateway) return nowhere({ reason: 'GatewayMissing', values: { gateway: at } })
  const real = moved(gateway.status?.conditions)
  const found: { host?: string; http?: number; https?: number; secret?: string } = {}
  for (const server of list(gateway.spec?.servers)) {
    const own = strings(server.hosts).map((it) => it.slice(it.lastIndexOf('/') + 1)).find((it) => meet(it, host))
    if (own === undefined) continue
    found.host ??= narrower(host, own)
    const { number, protocol } = (server.port ?? {}) as { number?: number; protocol?: string }
    const reached = real.get(Number(number)) ?? Number(number)
    const speaks = text(protocol).toUpperCase()
    if (speaks === 'HTTPS' || speaks === 'TLS') {
      found.https ??= reached
      const tls = (server.tls ?? {}) as Any
      if (tls.mode !== 'PASSTHROUGH') found.secret ??= text(tls.credentialName)
    } else if (speaks !== 'TCP' && speaks !== 'MONGO') found.http ??= reached
  }
  if (found.host === undefined) return nowhere({ reason: 'NoServerOfGateway', values: { gateway: at } })
  const whose = selected(gateway, beside)
  const unseen = !whose || whose.addresses.length === 0
  return { host: found.host, protocol: found.secret === undefined ? 'http' : 'https', secret: found.secret ?? '', gateway: whose && { ...whose, ports: portsOf(found.http, found.https) }, ...(unseen && { note: { reason: 'GatewayUnseen' as const, values: {} } }) }
}
