// What the console's server answers that is no object.
import { useQuery } from '@tanstack/react-query'
import { ask } from './client'
import { metricsAt } from './metrics'
import type { AccessType } from './types'

/** A gateway, as whoever has routes on it may know it. */
export interface Serving {
  namespace: string
  name: string
  scope: 'Project' | 'Workspace' | 'Cluster'
  type: AccessType
  addresses: string[]
  nodes: string[]
  ports: { name: string; port: number; nodePort?: number; reachedAt?: number }[]
  tracing?: boolean
  className?: string
}

export interface Hint {
  name: string
  type?: string
  values?: string[]
  default?: string
  support?: 'yes' | 'partly' | 'no'
  about?: { en: string; zh: string }
}

export interface Point {
  requests: number
  s2xx: number
  s3xx: number
  s4xx: number
  s5xx: number
  connections: number
  bytesIn: number
  bytesOut: number
  mean: number | null
  p50: number | null
  p95: number | null
  p99: number | null
}

/** Which pods of a gateway an answer is of, in front of a cluster. */
export interface PodsAsked {
  asked: number
  silent: { pod: string; why: string }[]
  leftOut: number
  /** Lines of each pod that were looked through, where there may be more. */
  searched?: number
}

export interface Metrics {
  pods?: PodsAsked
  step: number
  /** The end of what is counted. */
  until: number
  points: (Point & { at: number })[]
  total: Point
}

export interface Hop {
  hop: 'name' | 'address' | 'port' | 'certificate' | 'route' | 'endpoint'
  verdict: 'good' | 'broken' | 'unknown'
  said: string
  mend?: string
  reason?: string
  values?: Record<string, string>
  /** Said of what one may see alone. */
  partlySeen?: boolean
  mendReason?: string | null
  mendValues?: Record<string, string> | null
}

/** Where a backend's requests go, as the gateway that sends them sees it. */
export interface Health {
  backend: string
  connections: number
  endpoints: { address: string; state: 'Serving' | 'Failing'; inFlight: number | null; trouble: 'Refused' | 'Silent' | 'Unreachable' | 'Forbidden' | null }[]
}

export interface Certificate {
  names: string[]
  notBefore?: string
  notAfter?: string
  matches: Record<string, boolean>
  problem?: string
}

export interface GeneratedHost {
  host: string
  template: string
  address: string | null
  why?: string
}

export interface Pool {
  name: string
  ranges: string[]
  total: number
  used: number
  owners: { address: string; namespace: string; name: string; kind: string }[]
}

interface Named {
  kind: string
  namespace: string
  name: string
}

/** As `paifang explain -o json` has it; what is not used here is shown as it is. */
/** A sentence of the server, as `words/reasons.json` lists them. */
export interface Saying {
  reason: string
  values: Record<string, string>
}

export interface Explanation {
  gateway?: string | null
  listener?: string | null
  address?: string | null
  tls?: string | null
  tlsSaid?: Saying[]
  route?: { host: string; object: Named; rule: string; filters: string[] } | null
  backends?: { backend: string; weight: number; endpoints: string[] }[]
  answer?: { status: number; reason?: string | null; location?: string | null } | null
  sent?: { target: string | null; host: string | null }
  others?: { host: string; object: Named; rule: string; why: string; said?: Saying[] }[]
  absent?: { object: Named; why: string[]; said?: Saying[] }[]
}

export interface Tried {
  answer?: { status: number; headers: [string, string][]; body: string; truncated: boolean; ms: number }
  explanation?: Explanation
  error?: string
}

export interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}

export interface Permission {
  name: string
  place: 'platform' | 'workspace' | 'project'
  about: { en: string; zh: string }
  /** By level: `view`, `create`, `manage`. */
  levels: Record<string, Rule[]>
}

export type Window = '5m' | '15m' | '30m' | '1h'

const post = <T>(path: string, body: unknown) => ask<T>(path, { method: 'POST', body })
const of = (namespace: string, name: string) => `/console/gateways/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`

/** Which gateways serve a namespace, as the server says; `told` is `undefined` while it has not said. */
export function useTold(namespace: string): { told: Serving[] | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: ['serving', namespace],
    queryFn: () => ask<Serving[]>(`/console/gateways?namespace=${encodeURIComponent(namespace)}`),
    refetchInterval: (query) => (query.state.status === 'error' ? false : 10_000),
    staleTime: 2_000,
    enabled: namespace !== '',
    retry: false,
  })
  return { told: data, error }
}

export const useAllServing = (enabled: boolean) =>
  useQuery({ queryKey: ['serving'], queryFn: () => ask<Serving[]>('/console/gateways'), refetchInterval: (query) => (query.state.status === 'error' ? false : 10_000), enabled, retry: false })

const LASTING = { staleTime: Infinity, retry: false } as const
export const useAnnotationHints = () => useQuery({ queryKey: ['hints', 'annotations'], queryFn: () => ask<Hint[]>('/console/annotations'), ...LASTING }).data ?? []
export const useOptionHints = () => useQuery({ queryKey: ['hints', 'options'], queryFn: () => ask<Hint[]>('/console/options'), ...LASTING }).data ?? []
export const usePermissions = () => useQuery({ queryKey: ['permissions'], queryFn: () => ask<Permission[]>('/console/permissions'), ...LASTING }).data ?? []

export const useMetrics = (namespace: string, name: string, window: Window, every: number | false) =>
  useQuery({ queryKey: ['metrics', namespace, name, window], queryFn: () => metricsAt(`${of(namespace, name)}/metrics?window=${window}`), refetchInterval: (query) => (query.state.status === 'error' ? false : every), retry: false, staleTime: 1_000, placeholderData: (before) => before })

export const usePools = () => useQuery({ queryKey: ['pools'], queryFn: () => ask<{ pools: Pool[] }>('/console/pools'), refetchInterval: 10_000 })

export const useCertificate = (namespace: string, name: string, hosts: string[]) =>
  useQuery({
    queryKey: ['certificate', namespace, name, ...hosts],
    queryFn: () => post<Certificate>('/console/certificate', { namespace, name, hosts }),
    enabled: name !== '',
    retry: false,
  })

export const useGeneratedHost = (namespace: string, services: string[]) =>
  useQuery({
    queryKey: ['generated-host', namespace, ...services],
    queryFn: () => post<GeneratedHost>('/console/generated-host', { namespace, services }),
    enabled: services.length > 0,
    staleTime: 2_000,
    retry: false,
  })

/** `undefined` while it is not known, or where it cannot be. */
export const useHealth = (gateway: Serving | undefined, enabled: boolean, route: { namespace: string; name: string }): Health[] | undefined =>
  useQuery({
    queryKey: ['health', gateway?.namespace, gateway?.name, route.namespace, route.name],
    queryFn: () => ask<{ backends: Health[] }>(`${of(gateway?.namespace ?? '', gateway?.name ?? '')}/endpoints?route=${encodeURIComponent(`${route.namespace}/${route.name}`)}`),
    refetchInterval: (query) => (query.state.status === 'error' ? false : 5_000),
    enabled: enabled && gateway !== undefined,
    retry: false,
  }).data?.backends

/** `project`: where it is asked from; what is not to be seen elsewhere is looked for there. */
export const check = (namespace: string, name: string, url: string, project: string) => post<{ hops: Hop[] }>(`${of(namespace, name)}/check`, { url, ...(project && { project }) })
export const attempt = (namespace: string, name: string, request: { method: string; url: string; headers: Record<string, string>; body?: string; project?: string }) =>
  post<Tried>(`${of(namespace, name)}/try`, request)
export const logsPath = (namespace: string, name: string, query: Record<string, string>) => `${of(namespace, name)}/logs?${new URLSearchParams(query)}`
