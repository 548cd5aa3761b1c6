// The kinds this application reads and writes, and where the API has them.

export interface Kind {
  kind: string
  /** As in a URL and in a role. */
  plural: string
  group: string
  version: string
  namespaced: boolean
  /** What kubectl understands without doubt. */
  kubectl: string
}

const kind = (group: string, version: string, name: string, plural: string, namespaced = true): Kind => ({
  kind: name,
  plural,
  group,
  version,
  namespaced,
  kubectl: group === '' || group === 'networking.k8s.io' ? name.toLowerCase() : `${plural}.${group}`,
})

export const KINDS = {
  ingress: kind('networking.k8s.io', 'v1', 'Ingress', 'ingresses'),
  service: kind('', 'v1', 'Service', 'services'),
  secret: kind('', 'v1', 'Secret', 'secrets'),
  event: kind('', 'v1', 'Event', 'events'),
  namespace: kind('', 'v1', 'Namespace', 'namespaces', false),
  node: kind('', 'v1', 'Node', 'nodes', false),
  endpointSlice: kind('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices'),
  ingressGateway: kind('paifang.dev', 'v1alpha1', 'IngressGateway', 'ingressgateways'),
  user: kind('paifang.dev', 'v1alpha1', 'User', 'users', false),
  workspace: kind('paifang.dev', 'v1alpha1', 'Workspace', 'workspaces', false),
  project: kind('paifang.dev', 'v1alpha1', 'Project', 'projects'),
  role: kind('rbac.authorization.k8s.io', 'v1', 'Role', 'roles'),
  roleBinding: kind('rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings'),
  clusterRoleBinding: kind('rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  httpRoute: kind('gateway.networking.k8s.io', 'v1', 'HTTPRoute', 'httproutes'),
  tlsRoute: kind('gateway.networking.k8s.io', 'v1', 'TLSRoute', 'tlsroutes'),
  gateway: kind('gateway.networking.k8s.io', 'v1', 'Gateway', 'gateways'),
  istioGateway: kind('networking.istio.io', 'v1', 'Gateway', 'gateways'),
  virtualService: kind('networking.istio.io', 'v1', 'VirtualService', 'virtualservices'),
} as const

export const apiVersion = (of: Kind) => (of.group ? `${of.group}/${of.version}` : of.version)

/** The path of all objects of a kind; of all namespaces where none is given. */
export function listPath(of: Kind, namespace?: string): string {
  const root = of.group ? `/apis/${of.group}/${of.version}` : `/api/${of.version}`
  return namespace && of.namespaced ? `${root}/namespaces/${encodeURIComponent(namespace)}/${of.plural}` : `${root}/${of.plural}`
}

export const objectPath = (of: Kind, name: string, namespace?: string) => `${listPath(of, namespace)}/${encodeURIComponent(name)}`
