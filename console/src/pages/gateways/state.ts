// How a gateway is, in one word, and where it is reached.
import type { Condition, IngressGateway } from '../../api/types'
import type { Serving } from '../../api/console'
import type { Tone } from '../../parts/basics'
import { conditionTone } from '../../parts/tones'
import { isTracing } from '../../forms/gateway'
import type { WordKey } from '../../words'
import { refusedPorts } from './ports'

export interface GatewayState {
  tone: Tone
  word: WordKey
  /** What it says of itself, where something is wrong. */
  message?: string | undefined
}

export function gatewayState({ status }: IngressGateway): GatewayState {
  const condition = (type: string) => status?.conditions?.find((it) => it.type === type)
  const accepted = condition('Accepted')
  const assigned = condition('AddressAssigned')
  const programmed = condition('Programmed')
  if (accepted?.status === 'False') return { tone: 'bad', word: 'gateway.refused', message: accepted.message }
  if (assigned?.status === 'False') return { tone: 'warn', word: 'gateway.pending', message: assigned.message }
  if (programmed?.status === 'False') return { tone: 'bad', word: 'gateway.failing', message: programmed.message }
  if (programmed?.status === 'True') return { tone: 'good', word: 'gateway.running' }
  return { tone: 'quiet', word: 'gateway.starting' }
}

const MAIN = ['Accepted', 'AddressAssigned', 'Programmed']

/** What else it says of itself that is not as it was asked for: options, ports, tracing. */
export function remarks(gateway: IngressGateway): Condition[] {
  const refused = refusedPorts(gateway)
  const others = (gateway.status?.conditions ?? []).filter((it) => !MAIN.includes(it.type) && it.message && conditionTone(it) === 'warn')
  return refused ? [refused, ...others] : others
}

export const scopeWord = (scope: Serving['scope'] | undefined): WordKey => (scope === 'Cluster' ? 'gateway.ofCluster' : scope === 'Workspace' ? 'gateway.ofWorkspace' : 'gateway.ofProject')

/** A gateway that was asked for, in the form in which others are told. */
export function servingOf(gateway: IngressGateway): Serving {
  const { metadata, spec, status } = gateway
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    scope: spec.scope ?? 'Project',
    type: spec.access?.type ?? 'NodePort',
    addresses: (status?.addresses ?? []).map((it) => it.value),
    // By node ports it is the nodes that are its addresses.
    nodes: (spec.access?.type ?? 'NodePort') === 'NodePort' ? (status?.addresses ?? []).map((it) => it.value) : [],
    ports: status?.ports ?? [],
    tracing: isTracing(spec),
    ...(status?.ingressClassName && { className: status.ingressClassName }),
  }
}

/** Whether it waits for an address of its own, and ports of the nodes answer until then. */
export const isByNodes = ({ type, addresses, ports }: Serving) => type === 'LoadBalancer' && addresses.length === 0 && ports.some((it) => it.nodePort !== undefined && it.nodePort === it.reachedAt)

const STANDARD = { http: 80, https: 443 }

export const portOf = (gateway: Serving, protocol: 'http' | 'https') => gateway.ports.find((it) => it.name === protocol)?.reachedAt

/** `http://HOST:PORT/PATH`, without the port where it is the usual one. */
export function visitUrl(gateway: Serving | undefined, protocol: 'http' | 'https', host: string, path = '/'): string {
  const port = gateway && portOf(gateway, protocol)
  const shown = port && port !== STANDARD[protocol] ? `:${port}` : ''
  const name = host.includes(':') ? `[${host}]` : host
  return `${protocol}://${name}${shown}${path.startsWith('/') ? path : '/'}`
}
