// The Enable gateway and Edit gateway dialogs ↔ an IngressGateway.
import type { IngressGateway } from '../api/types'
import { entryProblems, readEntries, writeEntries, type Entry } from './entries'
import { ALIAS, CREATOR } from './names'
import { isOfProvider } from './providers'

export interface GatewayForm {
  type: 'NodePort' | 'LoadBalancer' | 'ClusterIP'
  provider: string
  annotations: Entry[]
  tracing: boolean
  /** Percent of the requests; all where it is not said. */
  sampling: number | null
  /** Of the collector. */
  endpoint: string
  config: Entry[]
  httpPort: number | null
  httpsPort: number | null
  loadBalancerIP: string
}

export type GatewayProblem = { field: keyof GatewayForm; reason: 'port' | 'range' | 'samePort' | 'address' | 'url' | 'rows' }

/** The ports that nodes give out. */
export interface NodePortRange {
  from: number
  to: number
}

export const EMPTY_GATEWAY: GatewayForm = { type: 'NodePort', provider: '', annotations: [], tracing: false, sampling: null, endpoint: '', config: [], httpPort: null, httpsPort: null, loadBalancerIP: '' }

export function readGateway({ spec }: IngressGateway): GatewayForm {
  const access = spec.access ?? {}
  return {
    type: access.type ?? 'NodePort',
    provider: access.provider ?? '',
    annotations: readEntries(access.annotations),
    tracing: isTracing(spec),
    sampling: spec.tracing?.sampling ?? null,
    endpoint: spec.tracing?.endpoint ?? '',
    config: readEntries(spec.config),
    httpPort: access.nodePorts?.http ?? null,
    httpsPort: access.nodePorts?.https ?? null,
    loadBalancerIP: access.loadBalancerIP ?? '',
  }
}

export const isTracing = (spec: IngressGateway['spec']) => (spec.tracing ? (spec.tracing.enabled ?? true) : (spec.governance ?? false))

/** The object with what the form says; everything that the form does not know stays. */
export function writeGateway<T extends Pick<IngressGateway, 'spec'>>(onto: T, form: GatewayForm): T {
  const balanced = form.type === 'LoadBalancer'
  const access = {
    ...onto.spec.access,
    type: form.type,
    provider: balanced && form.provider ? form.provider : undefined,
    annotations: form.type === 'ClusterIP' ? onto.spec.access?.annotations : writeEntries(undefined, balanced ? form.annotations : form.annotations.filter((row) => !isOfProvider(row.key.trim()))),
    loadBalancerIP: balanced && form.loadBalancerIP ? form.loadBalancerIP : undefined,
    nodePorts: form.type === 'ClusterIP' ? undefined : nodePorts(form),
  }
  return { ...onto, spec: { ...onto.spec, access: defined(access), ...tracing(onto.spec, form), config: writeEntries(undefined, form.config) } }
}

function tracing(spec: IngressGateway['spec'], form: GatewayForm) {
  const was = isTracing(spec)
  // `governance` turns tracing on as well, so it goes with it.
  if (!form.tracing) return was ? { tracing: spec.tracing && { ...spec.tracing, enabled: false }, governance: undefined } : {}
  const { endpoint, sampling } = { endpoint: form.endpoint || undefined, sampling: form.sampling ?? undefined }
  if (was && endpoint === spec.tracing?.endpoint && sampling === spec.tracing?.sampling) return {}
  return { tracing: defined({ ...spec.tracing, ...(!was && { enabled: true }), endpoint, sampling }) }
}

function nodePorts({ httpPort, httpsPort }: GatewayForm) {
  if (httpPort === null && httpsPort === null) return undefined
  return { ...(httpPort !== null && { http: httpPort }), ...(httpsPort !== null && { https: httpsPort }) }
}

const defined = <T extends object>(it: T): T => Object.fromEntries(Object.entries(it).filter(([, value]) => value !== undefined)) as T

/** A new request for a gateway: a project's, or, with the name of the scope, that of everybody. */
export function newGateway(namespace: string, creator: string, form: GatewayForm, scope: 'Project' | 'Cluster' = 'Project'): Omit<IngressGateway, 'apiVersion' | 'kind'> {
  const metadata = { name: scope === 'Cluster' ? 'cluster' : 'gateway', namespace, annotations: { [CREATOR]: creator } }
  return JSON.parse(JSON.stringify(writeGateway({ metadata, spec: { scope } }, form))) as Omit<IngressGateway, 'apiVersion' | 'kind'>
}

/** Of a range that is known, only ports that are newly asked for have to be in it. */
export function gatewayProblems(form: GatewayForm, range?: NodePortRange, before?: GatewayForm): GatewayProblem[] {
  const problems: GatewayProblem[] = []
  const outside = (field: 'httpPort' | 'httpsPort') => range !== undefined && form.type === 'NodePort' && form[field] !== null && form[field] !== before?.[field] && (form[field] < range.from || form[field] > range.to)
  const bad = (port: number | null) => port !== null && (!Number.isInteger(port) || port < 1 || port > 65_535)
  if (form.type !== 'ClusterIP') {
    for (const field of ['httpPort', 'httpsPort'] as const) {
      if (bad(form[field])) problems.push({ field, reason: 'port' })
      else if (outside(field)) problems.push({ field, reason: 'range' })
    }
    if (form.httpPort !== null && form.httpPort === form.httpsPort) problems.push({ field: 'httpsPort', reason: 'samePort' })
    if (entryProblems(form.annotations, 'annotations').size > 0) problems.push({ field: 'annotations', reason: 'rows' })
  }
  if (form.tracing && form.endpoint && !/^https?:\/\/[^\s/]+/.test(form.endpoint)) problems.push({ field: 'endpoint', reason: 'url' })
  if (form.type === 'LoadBalancer' && form.loadBalancerIP && !/^[0-9a-f.:]+$/i.test(form.loadBalancerIP)) problems.push({ field: 'loadBalancerIP', reason: 'address' })
  if (entryProblems(form.config, 'options').size > 0) problems.push({ field: 'config', reason: 'rows' })
  return problems
}

export const gatewayTitle = (gateway: IngressGateway) => gateway.metadata.annotations?.[ALIAS] ?? gateway.status?.workload?.name ?? gateway.metadata.name
