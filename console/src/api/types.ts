// Kubernetes objects as this application reads them. Fields it does not know stay where they are: edits are patches.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface Meta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

export interface Obj {
  apiVersion: string
  kind: string
  metadata: Meta
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export interface IngressBackend {
  service?: { name: string; port: { name?: string; number?: number } }
  resource?: { kind: string; name: string }
}

export interface IngressPath {
  path?: string
  pathType: string
  backend: IngressBackend
}

export interface IngressRule {
  host?: string
  http?: { paths: IngressPath[] }
}

export interface Ingress extends Obj {
  spec: {
    ingressClassName?: string
    defaultBackend?: IngressBackend
    tls?: { hosts?: string[]; secretName?: string }[]
    rules?: IngressRule[]
  }
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

export interface ServicePort {
  name?: string
  port: number
  nodePort?: number
  protocol?: string
  targetPort?: number | string
}

export interface Service extends Obj {
  spec: {
    type?: string
    clusterIP?: string
    externalName?: string
    ports?: ServicePort[]
    selector?: Record<string, string>
    loadBalancerClass?: string
  }
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

export interface EndpointSlice extends Obj {
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean }; nodeName?: string }[]
  ports?: { name?: string; port?: number }[]
}

export type AccessType = 'NodePort' | 'LoadBalancer' | 'ClusterIP'

export interface GatewayAccess {
  type?: AccessType
  provider?: string
  annotations?: Record<string, string>
  nodePorts?: { http?: number; https?: number }
  loadBalancerIP?: string
}

export interface IngressGateway extends Obj {
  spec: {
    scope?: 'Project' | 'Workspace' | 'Cluster'
    workspace?: string
    access?: GatewayAccess
    replicas?: number
    config?: Record<string, string>
    tracing?: { enabled?: boolean; sampling?: number; endpoint?: string }
    governance?: boolean
  }
  status?: {
    conditions?: Condition[]
    addresses?: { type: string; value: string }[]
    ports?: { name: string; port: number; protocol?: string; nodePort?: number; reachedAt?: number }[]
    replicas?: number
    readyReplicas?: number
    pods?: { name: string; phase?: string; ready?: boolean; node?: string }[]
    attachedRoutes?: number
    workload?: { namespace?: string; name?: string }
    ingressClassName?: string
  }
}

export interface Secret extends Obj {
  type?: string
  data?: Record<string, string>
}

export interface Event extends Obj {
  type?: string
  reason?: string
  message?: string
  count?: number
  lastTimestamp?: string
  eventTime?: string
  involvedObject?: { apiVersion?: string; kind?: string; name?: string; uid?: string; namespace?: string }
}

export interface Place {
  name: string
  workspace?: string
  alias?: string
  roles?: string[]
}

export interface User extends Obj {
  spec: { displayName?: string; email?: string; suspended?: boolean; identities?: string[] }
  status?: { roles?: string[]; workspaces?: Place[]; projects?: Place[] }
}

export interface Workspace extends Obj {
  spec: { admins?: string[] }
  status?: { namespace?: string; projects?: string[]; conditions?: Condition[] }
}

export interface Project extends Obj {
  spec: { admins?: string[] }
  status?: { namespace?: string; conditions?: Condition[] }
}

export interface Role extends Obj {
  rules?: { apiGroups?: string[]; resources?: string[]; verbs?: string[]; resourceNames?: string[] }[]
}

export interface RoleBinding extends Obj {
  roleRef: { apiGroup: string; kind: string; name: string }
  subjects?: { kind: string; name: string; apiGroup?: string; namespace?: string }[]
}

/** An object of a kind of which only the outline is used. */
export interface Loose extends Obj {
  spec?: Record<string, unknown>
  status?: Record<string, unknown>
}

export interface List<T> {
  metadata?: { resourceVersion?: string; continue?: string }
  items: T[]
}
