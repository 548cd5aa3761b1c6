// Where a route is reached: its hosts, ports and gateway.
import type { Serving } from '../../api/console'
import type { Ingress } from '../../api/types'
import { GENERATED_HOST, HOST_ANNOTATION } from '../../forms/route'
import { quoted } from '../../parts/command'
import { isByNodes, portOf, visitUrl } from '../gateways/state'

export interface Reach {
  host: string
  path: string
  pathType: string
  /** As the rule has it: empty where the host is made, or any. */
  written: string
  protocol: 'http' | 'https'
  secret: string
  service: string
  port: string
  /** Empty where no browser can go there: a wildcard. */
  url: string
}

/** One row of *Access*: what is visited, and the gateway that has it. */
export interface Way {
  reach: Reach
  gateway: Serving | undefined
  /** An address, where the gateway cannot be seen. */
  fallback: string
  /** The gateway is a Gateway of Gateway API: none that can be asked from here. */
  isGatewayApi?: boolean
}

/** Whether anything answers: not as long as its gateway waits for an address. */
export const isReached = ({ gateway, fallback }: Way) => !gateway || gateway.addresses.length > 0 || fallback !== '' || isByNodes(gateway)

export const addressesOf = ({ status }: Ingress) => (status?.loadBalancer?.ingress ?? []).map((it) => it.ip ?? it.hostname ?? '').filter(Boolean)

/** The hosts of a rule: its own, those made for it, or none. */
function hostsOf(ingress: Ingress, host: string | undefined, service: string): string[] {
  if (host) return [host]
  const { annotations } = ingress.metadata
  if (annotations?.[HOST_ANNOTATION] !== 'auto') return ['']
  const made = (annotations[GENERATED_HOST] ?? '').split(/[\s,]+/).filter(Boolean)
  const ours = made.filter((it) => it.startsWith(`${service}.`))
  return ours.length > 0 ? ours : made
}

export function reaches(ingress: Ingress, gateway: Serving | undefined): Reach[] {
  const { rules = [], tls = [] } = ingress.spec
  return rules.flatMap((rule) => {
    const paths = rule.http?.paths ?? []
    const hosts = hostsOf(ingress, rule.host, paths[0]?.backend.service?.name ?? '')
    const secured = tls.find((entry) => (rule.host ? entry.hosts?.includes(rule.host) : !entry.hosts?.length))
    const protocol = secured ? 'https' : 'http'
    return hosts.flatMap((host) =>
      paths.map((it) => {
        const path = it.path ?? '/'
        const service = it.backend.service
        const name = host || (gateway?.addresses[0] ?? addressesOf(ingress)[0] ?? '')
        const plain = it.pathType === 'ImplementationSpecific' ? path.replace(/[^\w\-./~%].*$/, '') || '/' : path
        return { host, path, pathType: it.pathType, written: rule.host ?? '', protocol, secret: secured?.secretName ?? '', service: service?.name ?? it.backend.resource?.name ?? '', port: String(service?.port.name ?? service?.port.number ?? ''), url: name.startsWith('*') || !name ? '' : visitUrl(gateway, protocol, name, plain) } as const
      }),
    )
  })
}

/** All hosts, for a list. */
export const hostsText = (ingress: Ingress) => [...new Set(reaches(ingress, undefined).map((it) => it.host))].filter(Boolean)

export const classOf = (ingress: Ingress) => ingress.spec.ingressClassName ?? ingress.metadata.annotations?.['kubernetes.io/ingress.class'] ?? ''

/** The gateway that has this route among those that serve its project; `undefined` when it is another controller's. */
export function gatewayOf(ingress: Ingress, serving: Serving[]): Serving | undefined {
  const wanted = classOf(ingress)
  if (wanted && wanted !== 'paifang' && wanted !== 'nginx' && !serving.some((it) => it.className === wanted)) return undefined
  const addresses = addressesOf(ingress)
  const named = serving.filter((it) => it.className === wanted)
  const candidates = named.length > 0 ? named : serving
  return candidates.find((it) => it.addresses.some((one) => addresses.includes(one))) ?? candidates[0]
}

const IP = /^[0-9.]+$|:/

/** The line of a hosts file, and the command that needs none. */
export function lines(reach: Reach, gateway: Serving | undefined, fallback: string): { hosts: string; curl: string } {
  const address = gateway?.addresses[0] ?? fallback
  const port = (gateway && portOf(gateway, reach.protocol)) ?? (reach.protocol === 'https' ? 443 : 80)
  const [one, ip] = [reach.host !== '' && !reach.host.startsWith('*'), IP.test(address)]
  const to = !one || !address ? '' : ip ? `--resolve ${reach.host}:${port}:${address} ` : `--connect-to ${reach.host}:${port}:${address}:${port} `
  // Else curl takes them for a set of paths.
  const globoff = /[[\]{}]/.test(reach.url.replace(/^\w+:\/\/\[[^\]]*\]/, '')) ? '--globoff ' : ''
  return { hosts: one && ip ? `${address} ${reach.host}` : '', curl: `curl ${reach.protocol === 'https' ? '--insecure ' : ''}${globoff}${to}${quoted(reach.url)}` }
}
