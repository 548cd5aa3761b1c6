// Every action that the application offers: where its control is, and the request that it makes. Long on purpose: regular rows.
//
// `offered` names the places of the source that offer it; `rights.spec.ts` finds them all, so that nothing is offered without a row here.
import { OTHERS } from '../src/pages/others/kinds'
import { listPath } from '../src/api/kinds'
import { says } from './people'
import type { WordKey } from './words'
import { have, haveProject, haveUser, haveWorkspace, invite, type Loose } from './lab'

export const WORKSPACE = 'rights'
/** Without a gateway of its own, and with one. */
export const [BARE, OPEN] = ['rights-bare', 'rights-open']
const SPACE = `workspace-${WORKSPACE}`

export const ROLES: Record<string, () => Promise<unknown>> = {
  admin: async () => undefined,
  'r-provisioner': () => invite('r-provisioner', 'platform-self-provisioner'),
  'r-ws-admin': () => invite('r-ws-admin', 'admin', SPACE),
  'r-ws-self': () => invite('r-ws-self', 'self-provisioner', SPACE),
  'r-ws-viewer': () => invite('r-ws-viewer', 'viewer', SPACE),
  'r-ws-regular': () => invite('r-ws-regular', 'regular', SPACE),
  'r-admin': () => both('r-admin', 'admin'),
  'r-operator': () => both('r-operator', 'operator'),
  'r-viewer': () => both('r-viewer', 'viewer'),
  'r-nobody': async () => undefined,
}
const both = (user: string, role: string) => Promise.all([BARE, OPEN].map((project) => invite(user, role, project)))

export interface Control {
  page: string
  tab?: WordKey
  /** The menu it is in: the page's own, or that of a row. */
  menu?: 'page' | { row: string }
  /** Its name; of a link where it leads. */
  text: WordKey | { exactly: string }
  is?: 'button' | 'link' | 'radiogroup'
  /** Where it opens no dialog: it leads to another page, or does something here. */
  does?: 'goes' | 'acts'
  /** What is said on demand where it is not there. */
  why?: WordKey
}

export interface Action {
  name: string
  offered: string[]
  at: Control
  ask: { method: string; path: string; body?: Loose | Loose[]; type?: string }
  /** Answers beside 2xx to somebody who may. */
  may?: number[]
}

const t = says('en')
const p = (project: string) => `/projects/${project}`
const DRY = '?dryRun=All'
const MERGE = 'application/merge-patch+json'
const NET = `/apis/networking.k8s.io/v1/namespaces/${BARE}/ingresses`
const CORE = `/api/v1/namespaces/${BARE}`
const rbac = (namespace: string, what: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/${what}`
const ours = (namespace: string, what: string) => `/apis/paifang.dev/v1alpha1/namespaces/${namespace}/${what}`
const PEOPLE = '/apis/paifang.dev/v1alpha1'

const touched = (path: string) => ({ method: 'PATCH', path: path + DRY, body: { metadata: { annotations: { 'example.com/tried': 'yes' } } }, type: MERGE })
const gone = (path: string) => ({ method: 'DELETE', path: path + DRY, body: {} })
const made = (path: string, object: Loose) => ({ method: 'POST', path: path + DRY, body: object })
const got = (path: string) => ({ method: 'GET', path })

// === what there is to act on

const ingress = (name: string) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name }, spec: { rules: [{ host: `${name}.${BARE}.kubesphere.io`, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'sample', port: { number: 80 } } } }] } }] } })
const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'sample' }, spec: { ports: [{ name: 'http', port: 80 }] } }
const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } })
const gateway = (name: string) => ({ apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name }, spec: { access: { type: 'NodePort' } } })
/** Of what admins of the place have themselves: nobody gives more. */
const role = (name: string, namespace: string) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, annotations: { 'paifang.dev/permissions': '{"routes":"view"}' } }, rules: [namespace === SPACE ? { apiGroups: ['paifang.dev'], resources: ['projects'], verbs: ['get'] } : { apiGroups: [''], resources: ['events'], verbs: ['get'] }] })
const binding = (user: string, to: string) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: `${user}:${to}` }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: to }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }] })

const OTHER: Record<string, Loose> = {
  httproutes: { hostnames: ['sample.kubesphere.io'], rules: [{ backendRefs: [{ name: 'sample', port: 80 }] }] },
  tlsroutes: { hostnames: ['sample.kubesphere.io'], rules: [{ backendRefs: [{ name: 'sample', port: 80 }] }] },
  gateways: { gatewayClassName: 'paifang', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  virtualservices: { hosts: ['sample.kubesphere.io'], http: [{ route: [{ destination: { host: 'sample', port: { number: 80 } } }] }] },
  'istio-gateways': { selector: { istio: 'ingressgateway' }, servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['sample.kubesphere.io'] }] },
}

/** All people and places, once for a file. */
export async function furnish() {
  for (const user of [...Object.keys(ROLES).filter((it) => it !== 'admin'), 'r-someone']) await haveUser(user)
  await haveWorkspace(WORKSPACE)
  for (const project of [BARE, OPEN]) await haveProject(WORKSPACE, project)
  for (const bind of Object.values(ROLES)) await bind()
  for (const namespace of [BARE, SPACE]) {
    await invite('r-someone', 'viewer', namespace)
    await have(rbac(namespace, 'roles'), role('own-role', namespace))
  }
  await have(`${CORE}/services`, service)
  await have(`${CORE}/secrets`, secret('sample-tls'))
  await have(NET, ingress('sample'))
  await have(ours(OPEN, 'ingressgateways'), gateway('gateway'))
  for (const { slug, kind } of OTHERS) await have(listPath(kind, BARE), { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: 'sample' }, spec: OTHER[slug] })
}

// === the table

const ROUTES = `${p(BARE)}/routes`
const OWN = `${p(OPEN)}/gateways/${OPEN}/gateway`
const SHARED = '/console/gateways/kubesphere-system/cluster'
const MINE = `/console/gateways/${OPEN}/gateway`
const PLACE = `/workspaces/${WORKSPACE}`
const someone = { row: 'r-someone' }
const sample = { row: 'sample' }

const routes: Action[] = [
  { name: 'create a route', offered: ['pages/routes/list.tsx: create ingress', 'pages/overview.tsx: create ingress'], at: { page: ROUTES, text: 'routes.create', does: 'goes' }, ask: made(NET, ingress('another')) },
  { name: 'create a route from the overview', offered: ['pages/overview.tsx: create ingress'], at: { page: p(BARE), text: 'routes.create', does: 'goes' }, ask: made(NET, ingress('another')) },
  ...(['routes.editInformation', 'routes.editRules', 'routes.editAnnotations'] as const).flatMap((text) =>
    (['page', sample] as const).map((menu): Action => ({ name: `${text}, ${menu === 'page' ? 'on its page' : 'in the list'}`, offered: ['pages/routes/list.tsx: patch ingress'], at: { page: menu === 'page' ? `${ROUTES}/sample` : ROUTES, menu, text }, ask: touched(`${NET}/sample`) })),
  ),
  { name: 'save a route as YAML', offered: ['pages/yaml.tsx: update kind'], at: { page: `${ROUTES}/sample/yaml`, text: 'yaml.review', does: 'acts' }, ask: { method: 'PUT', path: `${NET}/sample${DRY}`, body: ingress('sample') } },
  ...(['page', sample] as const).map((menu): Action => ({ name: `delete a route, ${menu === 'page' ? 'on its page' : 'in the list'}`, offered: ['pages/routes/list.tsx: delete ingress', 'remove ingress'], at: { page: menu === 'page' ? `${ROUTES}/sample` : ROUTES, menu, text: 'do.delete' }, ask: gone(`${NET}/sample`) })),
]

const others: Action[] = OTHERS.flatMap(({ slug, kind }): Action[] => {
  const [page, path, of] = [`${p(BARE)}/others/${slug}`, `${listPath(kind, BARE)}/sample`, `${kind.group} ${kind.kind}`]
  const object = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: 'another' }, spec: OTHER[slug] }
  return [
    { name: `create ${of}`, offered: ['pages/others/list.tsx: create other.kind'], at: { page, text: { exactly: t('others.create', { kind: kind.kind }) }, does: 'goes' }, ask: made(listPath(kind, BARE), object) },
    ...(['routes.editInformation', 'routes.editAnnotations'] as const).flatMap((text) =>
      (['page', sample] as const).map((menu): Action => ({ name: `${text} of ${of}, ${menu === 'page' ? 'on its page' : 'in the list'}`, offered: ['pages/others/list.tsx: patch kind'], at: { page: menu === 'page' ? `${page}/sample` : page, menu, text }, ask: touched(path) })),
    ),
    { name: `save ${of} as YAML`, offered: ['pages/yaml.tsx: update kind'], at: { page: `${page}/sample/yaml`, text: 'yaml.review', does: 'acts' }, ask: touched(path) },
    ...(['page', sample] as const).map((menu): Action => ({ name: `delete ${of}, ${menu === 'page' ? 'on its page' : 'in the list'}`, offered: ['pages/others/list.tsx: delete kind'], at: { page: menu === 'page' ? `${page}/sample` : page, menu, text: 'do.delete' }, ask: gone(path) })),
  ]
})

const gateways: Action[] = [
  { name: 'enable a gateway', offered: ['pages/gateways/settings.tsx: create ingressGateway', 'create ingressGateway', 'pages/routes/list.tsx: create ingressGateway', 'pages/overview.tsx: create ingressGateway'], at: { page: `${p(BARE)}/gateways`, text: 'gateway.enable', why: 'gateways.mayNot' }, ask: made(ours(BARE, 'ingressgateways'), gateway('gateway')) },
  { name: 'edit the cluster gateway', offered: ['pages/gateways/cluster.tsx: create ingressGateway'], at: { page: '/cluster/gateways', text: 'do.edit' }, ask: made(ours('kubesphere-system', 'ingressgateways'), { ...gateway('another'), spec: { scope: 'Cluster', access: { type: 'NodePort' } } }) },
  ...(['do.edit', 'gateway.scale'] as const).flatMap((text) =>
    [`${p(OPEN)}/gateways`, OWN].map((page): Action => ({ name: `${text} on ${page}`, offered: ['pages/gateways/card.tsx: patch ingressGateway', 'pages/gateways/detail.tsx: patch ingressGateway', 'edit ingressGateway'], at: { page, menu: 'page', text }, ask: touched(ours(OPEN, 'ingressgateways/gateway')) })),
  ),
  ...[`${p(OPEN)}/gateways`, OWN].map((page): Action => ({ name: `disable a gateway on ${page}`, offered: ['pages/gateways/card.tsx: delete ingressGateway', 'remove ingressGateway'], at: { page, menu: 'page', text: 'gateway.disable' }, ask: gone(ours(OPEN, 'ingressgateways/gateway')) })),
  { name: 'look at a gateway', offered: [], at: { page: `${p(OPEN)}/gateways`, text: 'do.view', does: 'goes' }, ask: got(ours(OPEN, 'ingressgateways/gateway')) },
  { name: 'look at the cluster gateway from a project', offered: ['pages/gateways/settings.tsx: get ingressGateway', 'pages/overview.tsx: get ingressGateway', 'pages/routes/detail.tsx: get ingressGateway', 'pages/routes/flow.tsx: get ingressGateway'], at: { page: `${p(BARE)}/gateways`, text: 'do.view', does: 'goes' }, ask: got(`${SHARED}/metrics?window=5m`) },
  { name: "a gateway's log", offered: ['logsPath'], at: { page: OWN, tab: 'gateway.logs', is: 'link', text: 'logs.export', does: 'acts' }, ask: got(`${MINE}/logs?limit=1`) },
  { name: "a gateway's numbers", offered: ['useMetrics', 'pages/gateways/detail.tsx: list ingressGateway', 'pages/gateways/detail.tsx: get ingressGateway'], at: { page: OWN, tab: 'gateway.monitoring', is: 'radiogroup', text: 'monitoring.window', does: 'acts' }, ask: got(`${MINE}/metrics?window=5m`) },
  { name: 'all gateways', offered: ['pages/gateways/cluster.tsx: list ingressGateway', 'shell/frame.tsx: list ingressGateway'], at: { page: '/account', is: 'link', text: { exactly: '/cluster/gateways' }, does: 'goes' }, ask: got('/console/gateways') },
  { name: 'try a request', offered: ['attempt'], at: { page: `${p(OPEN)}/try`, text: 'try.send', does: 'acts' }, ask: { method: 'POST', path: `${MINE}/try`, body: { method: 'GET', url: 'http://sample.kubesphere.io/', headers: {} } } },
  { name: 'try a request through the cluster gateway', offered: ['attempt'], at: { page: `${p(BARE)}/try`, text: 'try.send', does: 'acts' }, ask: { method: 'POST', path: `${SHARED}/try`, body: { method: 'GET', url: 'http://sample.kubesphere.io/', headers: {} } } },
  { name: 'check a route of the cluster gateway', offered: ['check', 'pages/routes/unable.tsx: get ingressGateway'], at: { page: `${ROUTES}/sample?tab=access`, text: 'unable.check', does: 'acts' }, ask: { method: 'POST', path: `${SHARED}/check`, body: { url: `http://sample.${BARE}.kubesphere.io/` } } },
]

const belongings: Action[] = [
  { name: 'create a Service', offered: ['pages/services/list.tsx: create service', 'create service'], at: { page: `${p(BARE)}/services`, text: 'services.create' }, ask: made(`${CORE}/services`, { ...service, metadata: { name: 'another' } }) },
  { name: "edit a Service's endpoints", offered: ['pages/services/detail.tsx: patch service'], at: { page: `${p(BARE)}/services/sample`, menu: 'page', text: 'services.editStatic' }, ask: touched(`${CORE}/services/sample`) },
  { name: 'delete a Service', offered: ['pages/services/detail.tsx: delete service', 'remove service'], at: { page: `${p(BARE)}/services/sample`, menu: 'page', text: 'do.delete' }, ask: gone(`${CORE}/services/sample`) },
  { name: "change a Service's external access", offered: ['pages/services/detail.tsx: patch service', 'edit service'], at: { page: `${p(BARE)}/services/sample`, text: 'services.editExternal' }, ask: touched(`${CORE}/services/sample`) },
  { name: 'add a certificate', offered: ['pages/secrets.tsx: create secret', 'create secret'], at: { page: `${p(BARE)}/secrets`, text: 'secrets.add' }, ask: made(`${CORE}/secrets`, secret('another')) },
  { name: 'replace a certificate', offered: ['pages/secrets.tsx: patch secret', 'edit secret'], at: { page: `${p(BARE)}/secrets`, menu: { row: 'sample-tls' }, text: 'secrets.renew' }, ask: touched(`${CORE}/secrets/sample-tls`) },
  { name: 'delete a Secret', offered: ['pages/secrets.tsx: delete secret', 'remove secret'], at: { page: `${p(BARE)}/secrets`, menu: { row: 'sample-tls' }, text: 'do.delete' }, ask: gone(`${CORE}/secrets/sample-tls`) },
]

/** Members and roles are the same parts in a project and in a workspace. */
const places: Action[] = (
  [
    [BARE, `${p(BARE)}/members`, `${p(BARE)}/roles`, false],
    [SPACE, PLACE, PLACE, true],
  ] as const
).flatMap(([namespace, members, roles, tabbed]): Action[] => {
  const [ofMembers, ofRoles] = [{ page: members, ...(tabbed && { tab: 'members.title' as const }) }, { page: roles, ...(tabbed && { tab: 'roles.title' as const }) }]
  return [
    { name: `invite into ${namespace}`, offered: ['pages/people/shared.tsx: create roleBinding', 'create roleBinding'], at: { ...ofMembers, text: 'members.invite', why: 'members.mayNot' }, ask: made(rbac(namespace, 'rolebindings'), binding('r-nobody', 'viewer')) },
    { name: `change a role in ${namespace}`, offered: ['edit roleBinding'], at: { ...ofMembers, menu: someone, text: 'members.change' }, ask: made(rbac(namespace, 'rolebindings'), binding('r-someone', 'admin')) },
    { name: `remove from ${namespace}`, offered: ['pages/people/shared.tsx: delete roleBinding', 'remove roleBinding'], at: { ...ofMembers, menu: someone, text: 'members.removeDo' }, ask: gone(rbac(namespace, 'rolebindings/r-someone:viewer')) },
    { name: `create a role of ${namespace}`, offered: ['pages/people/roles.tsx: create role', 'create role'], at: { ...ofRoles, text: 'roles.create', why: 'roles.mayNot' }, ask: made(rbac(namespace, 'roles'), role('another', namespace)) },
    { name: `edit a role of ${namespace}`, offered: ['pages/people/roles.tsx: patch role', 'edit role'], at: { ...ofRoles, menu: { row: 'own-role' }, text: 'do.edit' }, ask: touched(rbac(namespace, 'roles/own-role')) },
    { name: `delete a role of ${namespace}`, offered: ['pages/people/roles.tsx: delete role', 'remove role'], at: { ...ofRoles, menu: { row: 'own-role' }, text: 'do.delete' }, ask: gone(rbac(namespace, 'roles/own-role')) },
  ]
})

const platform: Action[] = [
  { name: 'create a workspace', offered: ['pages/people/workspaces.tsx: create workspace'], at: { page: '/workspaces', text: 'workspaces.create' }, ask: made(`${PEOPLE}/workspaces`, { apiVersion: 'paifang.dev/v1alpha1', kind: 'Workspace', metadata: { name: 'rights-another' }, spec: {} }) },
  { name: 'edit a workspace', offered: ['pages/people/workspace.tsx: patch workspace'], at: { page: PLACE, menu: 'page', text: 'do.edit' }, ask: touched(`${PEOPLE}/workspaces/${WORKSPACE}`) },
  { name: 'delete a workspace', offered: ['pages/people/workspace.tsx: delete workspace', 'remove workspace'], at: { page: PLACE, menu: 'page', text: 'do.delete' }, ask: gone(`${PEOPLE}/workspaces/${WORKSPACE}`) },
  { name: 'create a project', offered: ['pages/people/projects.tsx: create project'], at: { page: PLACE, tab: 'projects.title', text: 'projects.create' }, ask: made(ours(SPACE, 'projects'), { apiVersion: 'paifang.dev/v1alpha1', kind: 'Project', metadata: { name: 'rights-third' }, spec: {} }) },
  { name: 'edit a project', offered: ['pages/people/projects.tsx: patch project'], at: { page: PLACE, tab: 'projects.title', menu: { row: BARE }, text: 'do.edit' }, ask: touched(ours(SPACE, `projects/${BARE}`)) },
  { name: 'delete a project', offered: ['pages/people/projects.tsx: delete project', 'remove project'], at: { page: PLACE, tab: 'projects.title', menu: { row: BARE }, text: 'do.delete' }, ask: gone(ours(SPACE, `projects/${BARE}`)) },
  { name: 'look at users', offered: ['shell/frame.tsx: list user', 'pages/people/invite.tsx: list user'], at: { page: '/account', is: 'link', text: { exactly: '/users' }, does: 'goes' }, ask: got(`${PEOPLE}/users`) },
  { name: 'look at all projects', offered: ['api/mine.ts: list namespace', 'api/mine.ts: list ingress'], at: { page: '/account', is: 'link', text: { exactly: '/' }, does: 'goes' }, ask: got('/apis/networking.k8s.io/v1/ingresses?limit=1') },
  { name: 'create a user', offered: ['pages/people/users.tsx: create user', 'create user'], at: { page: '/users', text: 'users.create' }, ask: made(`${PEOPLE}/users`, { apiVersion: 'paifang.dev/v1alpha1', kind: 'User', metadata: { name: 'r-another' }, spec: {} }) },
  { name: 'edit a user', offered: ['pages/people/users.tsx: patch user', 'edit user'], at: { page: '/users', menu: someone, text: 'do.edit' }, ask: touched(`${PEOPLE}/users/r-someone`) },
  { name: "change a user's platform roles", offered: ['pages/people/user.tsx: create clusterRoleBinding', 'create clusterRoleBinding', 'edit clusterRoleBinding', 'remove clusterRoleBinding'], at: { page: '/users', menu: someone, text: 'do.edit' }, ask: made('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { ...binding('r-someone', 'platform-self-provisioner'), kind: 'ClusterRoleBinding', roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'platform-self-provisioner' } }) },
  { name: 'suspend a user', offered: ['pages/people/users.tsx: patch user', 'edit user'], at: { page: '/users', menu: someone, text: 'users.suspend' }, ask: touched(`${PEOPLE}/users/r-someone`) },
  // Too short a password: whoever may set one is told so, and nothing happens.
  { name: "set somebody's password", offered: ['pages/people/users.tsx: patch user', 'pages/people/password.tsx: a request of its own'], at: { page: '/users', menu: someone, text: 'users.setPassword' }, ask: { method: 'POST', path: `${PEOPLE}/users/r-someone/password`, body: { newPassword: 'x' } }, may: [400, 422] },
  { name: 'delete a user', offered: ['pages/people/users.tsx: delete user', 'remove user'], at: { page: '/users', menu: someone, text: 'do.delete' }, ask: gone(`${PEOPLE}/users/r-someone`) },
]

export const ACTIONS: Action[] = [...routes, ...others, ...gateways, ...belongings, ...places, ...platform]

/** Rights that decide what is read to be shown, and no control. */
export const READS = ['pages/others/access.tsx: list ingressGateway', 'pages/others/access.tsx: list service', 'pages/overview.tsx: list kind', 'pages/overview.tsx: patch ingress', 'pages/overview.tsx: list secret', 'pages/overview/certificates.ts: a request of its own', 'pages/past.ts: list kind', 'pages/past.ts: patch ingress', 'pages/people/projects.tsx: list project', 'pages/routes/list.tsx: list kind', 'pages/routes/list.tsx: list service', 'pages/routes/list.tsx: list endpointSlice', 'pages/routes/rules.tsx: list secret']
/** What everybody does, on their own account. */
export const OWN_ACCOUNT = ['pages/people/account.tsx: a request of its own']
