// Objects whose every free text would be a script, if any page took it for one.
import { connect } from 'node:net'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from '@playwright/test'
import { CERTIFICATE, KEY } from './certificate'
import { as, have, haveProject, haveUser, haveWorkspace, invite, type Loose } from './lab'

export const WORKSPACE = 'poison'
export const PROJECT = 'poison'
/** A text that says where it came from, if it is ever run. */
export const poison = (field: string) => `<img src=x onerror="canary('${field}')">`
const named = (of: string) => ({ 'kubesphere.io/alias-name': poison(`${of}.alias`), 'kubesphere.io/description': poison(`${of}.description`), 'kubesphere.io/creator': poison(`${of}.creator`), 'example.com/free': poison(`${of}.annotation`) })
const paifang = (path: string) => `/apis/paifang.dev/v1alpha1${path}`
const inProject = (group: string, what: string) => `${group.startsWith('v') ? '/api/' : '/apis/'}${group}/namespaces/${PROJECT}/${what}`

async function annotate(path: string, annotations: Loose, more: Loose = {}) {
  const answer = await (await as('admin')).ask('PATCH', path, { metadata: { annotations }, ...more }, 'application/merge-patch+json')
  expect(answer.status, answer.text).toBe(200)
}

/** Makes all of them; `false` for those that the API itself would not take. */
export async function spread() {
  await haveUser('poisoned', poison('user.displayName'))
  await annotate(paifang('/users/poisoned'), named('user'))
  await haveWorkspace(WORKSPACE)
  await annotate(paifang(`/workspaces/${WORKSPACE}`), named('workspace'))
  await haveProject(WORKSPACE, PROJECT)
  await annotate(paifang(`/namespaces/workspace-${WORKSPACE}/projects/${PROJECT}`), named('project'))
  for (const user of ['poisoned', 'project-regular']) await invite(user, user === 'poisoned' ? 'admin' : 'operator', PROJECT)
  await have(inProject('rbac.authorization.k8s.io/v1', 'roles'), { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'own', annotations: { ...named('role'), 'paifang.dev/permissions': JSON.stringify({ [poison('role.permission')]: 'view' }) } }, rules: [] })
  await have(inProject('rbac.authorization.k8s.io/v1', 'rolebindings'), { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'strange' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'own' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: poison('binding.group') }] })
  await have(inProject('v1', 'services'), { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', annotations: named('service') }, spec: { ports: [{ name: 'http', port: 80 }] } })
  await have(inProject('v1', 'secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'certificate', annotations: named('secret') }, type: 'kubernetes.io/tls', data: { 'tls.crt': Buffer.from(CERTIFICATE).toString('base64'), 'tls.key': Buffer.from(KEY).toString('base64') } })
  await have(inProject('v1', 'secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'strange' }, type: poison('secret.type'), data: {} })
  await have(inProject('paifang.dev/v1alpha1', 'ingressgateways'), { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', annotations: named('gateway') }, spec: { access: { type: 'NodePort', annotations: { 'example.com/free': poison('gateway.access') } }, config: { [poison('gateway.option')]: poison('gateway.value') } } })
  await have(inProject('networking.k8s.io/v1', 'ingresses'), ingress('web'))
  await have(inProject('networking.istio.io/v1', 'virtualservices'), { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'web', annotations: named('virtualservice') }, spec: { hosts: ['web.example.com'], http: [{ route: [{ destination: { host: 'web' } }] }] } })
  await have(inProject('gateway.networking.k8s.io/v1', 'httproutes'), { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'web', annotations: named('httproute') }, spec: { rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [{ name: 'web', port: 80 }] }] } })
  await happened('networking.k8s.io/v1', 'Ingress', inProject('networking.k8s.io/v1', 'ingresses/web'))
}

const ingress = (name: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, annotations: { ...named('ingress'), 'nginx.ingress.kubernetes.io/use-regex': 'true', 'paifang.dev/unknown': poison('ingress.unknown') } },
  spec: { rules: [{ host: 'web.example.com', http: { paths: [{ path: `/${poison('ingress.path')}`, pathType: 'ImplementationSpecific', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
})

/** Somebody's controller says something about an object. */
async function happened(apiVersion: string, kind: string, path: string) {
  const { metadata } = (await (await as('admin')).ask('GET', path)).body
  const now = new Date().toISOString()
  const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: `said-${Date.now().toString(36)}` }, involvedObject: { apiVersion, kind, name: metadata.name, namespace: PROJECT, uid: metadata.uid }, type: 'Warning', reason: poison('event.reason'), message: poison('event.message'), firstTimestamp: now, lastTimestamp: now, count: 1, source: { component: poison('event.source') } }
  await have(inProject('v1', 'events'), event)
}

/** A request whose line and headers are scripts, as no well-behaved client sends it. */
export function visitGateway(address: string, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => socket.end(`GET /${poison('log.path').replaceAll(' ', '/')} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${poison('log.agent')}\r\nReferer: ${poison('log.referer')}\r\nConnection: close\r\n\r\n`))
    socket.on('data', () => undefined).on('close', () => resolve()).on('error', reject)
  })
}

/** A backend that answers with scripts. */
export async function evilBackend(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html', 'X-Poison': poison('answer.header') }).end(`<script>canary('answer.script')</script>${poison('answer.body')}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}
