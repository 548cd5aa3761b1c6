// Every form edits an object that kubectl has made, with fields the form does not know: they stay as they are.
import { rmSync } from 'node:fs'
import { expect, test, type Page } from '@playwright/test'
import { certificateFor, secretFor } from './certificates'
import { addRow, choose, manage, save } from './clicks'
import { apply, kubectl, paifang, project, read, type Manifest } from './kubectl'
import { enter, says, speak, type Person } from './people'
import { rewrite } from './yaml'

const t = says('en')
const KEPT = { labels: { 'example.com/kept': 'yes', app: 'old' }, annotations: { 'example.com/kept': 'as "it" is:\n  { to the last blank }  ', 'example.com/also': '', 'kubesphere.io/creator': 'somebody' } }

interface Form {
  name: string
  who: Person
  object: (of: string) => Manifest & { metadata: { name: string; namespace?: string } }
  at: (of: string) => string
  edit: (page: Page, of: string) => Promise<void>
  /** What the edit is to come to, said on the object as it was. */
  expected: (object: any) => void
}

const service = (name: string, port: object = { number: 80 }) => ({ service: { name, port } })
const route = (of: string): ReturnType<Form['object']> => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'edited', namespace: of, ...KEPT },
  spec: {
    ingressClassName: 'paifang',
    defaultBackend: service('web'),
    tls: [{ hosts: ['other.example'], secretName: 'elsewhere' }, { secretName: 'for-all' }],
    rules: [
      { host: 'edited.example', http: { paths: [{ path: '/files', pathType: 'Exact', backend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'files' } } }, { path: '/', pathType: 'Prefix', backend: service('web', { name: 'http' }) }] } },
      { host: 'bare.example' },
    ],
  },
})
const gateway = (of: string): ReturnType<Form['object']> => ({
  apiVersion: 'paifang.dev/v1alpha1',
  kind: 'IngressGateway',
  metadata: { name: 'gateway', namespace: of, ...KEPT },
  spec: { scope: 'Project', replicas: 3, labels: { team: 'blue' }, resources: { requests: { cpu: '100m' } }, tcp: { '9000': `${of}/web:80` }, access: { type: 'NodePort', externalTrafficPolicy: 'Local', annotations: { 'example.com/on-the-service': 'yes' } }, config: { 'proxy-body-size': '2m', 'hsts-max-age': '60' } },
})
const more = async (page: Page, name: string, item: string) => {
  await page.getByRole('button', { name: `${t('do.more')}: ${name}`, exact: true }).first().click()
  await page.getByRole('menuitem', { name: item }).click()
}
const on = (where: string) => (of: string) => `/projects/${of}/${where}`
const secret = (of: string) => {
  const made = secretFor(of, 'edited', 'before.example')
  return { ...made, metadata: { name: 'edited', namespace: of, ...KEPT }, stringData: { ...(made.stringData as object), 'ca.crt': 'kept' } }
}

const FORMS: Form[] = [
  {
    name: 'information of a route',
    who: 'project-regular',
    object: route,
    at: on('routes/edited'),
    edit: async (page) => {
      await manage(page, t, t('routes.editInformation'))
      await page.fill('#alias', 'Edited')
      await page.fill('#description', 'By form')
      await save(page, t)
    },
    expected: ({ metadata }) => Object.assign(metadata.annotations, { 'kubesphere.io/alias-name': 'Edited', 'kubesphere.io/description': 'By form' }),
  },
  {
    name: 'rules of a route',
    who: 'project-regular',
    object: route,
    at: on('routes/edited'),
    edit: async (page) => {
      await manage(page, t, t('routes.editRules'))
      await page.locator('#rule-0-host').fill('moved.example')
      await page.getByRole('region', { name: t('rules.rule', { n: 1 }) }).getByRole('textbox', { name: `${t('rules.path')} 2` }).fill('/shop')
      await page.getByRole('region', { name: t('rules.rule', { n: 2 }) }).getByRole('button', { name: t('rules.addPath') }).click()
      const second = page.getByRole('region', { name: t('rules.rule', { n: 2 }) })
      await second.getByRole('textbox', { name: `${t('rules.path')} 1` }).fill('/')
      await choose(page, `${t('rules.service')} 1`, 'web', second)
      await save(page, t)
    },
    expected: ({ spec }) => {
      spec.rules[0].host = 'moved.example'
      spec.rules[0].http.paths[1].path = '/shop'
      spec.rules[1].http = { paths: [{ path: '/', pathType: 'Prefix', backend: service('web', { name: 'http' }) }] }
    },
  },
  {
    name: 'annotations and labels of a route',
    who: 'project-regular',
    object: route,
    at: on('routes/edited'),
    edit: async (page) => {
      await manage(page, t, t('routes.editAnnotations'))
      const group = (name: string) => page.getByRole('dialog').getByRole('group', { name })
      await addRow(t, group(t('meta.annotations')), t('do.addAnnotation'), 'nginx.ingress.kubernetes.io/enable-cors', 'true')
      await group(t('meta.labels')).locator('.pair-row').filter({ has: page.locator('input[value="app"]') }).getByLabel(/^Value/).fill('new')
      await save(page, t)
    },
    expected: ({ metadata }) => {
      metadata.annotations['nginx.ingress.kubernetes.io/enable-cors'] = 'true'
      metadata.labels.app = 'new'
    },
  },
  {
    name: 'YAML of a route',
    who: 'project-regular',
    object: route,
    at: on('routes/edited/yaml'),
    edit: async (page) => {
      await expect(page.locator('.cm-content')).toContainText('edited.example')
      await rewrite(page, 'host: edited.example', '- host: written.example')
      await page.getByRole('button', { name: t('yaml.review') }).click()
      await page.getByRole('button', { name: t('do.save') }).click()
      await expect(page).toHaveURL(/routes\/edited$/)
    },
    expected: ({ spec }) => (spec.rules[0].host = 'written.example'),
  },
  {
    name: 'external access of a Service',
    who: 'project-regular',
    object: (of) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'edited', namespace: of, labels: KEPT.labels, annotations: { ...KEPT.annotations, 'paifang.dev/endpoints': '127.0.0.1:9' } }, spec: { publishNotReadyAddresses: true, sessionAffinity: 'ClientIP', ports: [{ name: 'http', port: 80, appProtocol: 'http' }, { name: 'udp', port: 53, protocol: 'UDP' }] } }),
    at: on('services/edited'),
    edit: async (page) => {
      await page.getByRole('button', { name: t('services.editExternal') }).click()
      await page.getByRole('radio', { name: /LoadBalancer/ }).check()
      await addRow(t, page.getByRole('dialog').getByRole('group', { name: t('meta.annotations') }), t('do.addAnnotation'), 'metallb.io/address-pool', 'mine')
      await save(page, t)
    },
    expected: ({ spec, metadata }) => {
      Object.assign(spec, { type: 'LoadBalancer', allocateLoadBalancerNodePorts: true, externalTrafficPolicy: 'Cluster' })
      for (const port of spec.ports) port.nodePort = expect.any(Number)
      metadata.annotations['metallb.io/address-pool'] = 'mine'
    },
  },
  {
    name: 'static endpoints of a Service',
    who: 'project-regular',
    object: (of) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'edited', namespace: of, labels: KEPT.labels, annotations: { ...KEPT.annotations, 'paifang.dev/endpoints': '127.0.0.1:9' } }, spec: { internalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, targetPort: 8080 }] } }),
    at: on('services/edited'),
    edit: async (page) => {
      await manage(page, t, t('services.editStatic'))
      await page.locator('#endpoints').fill('127.0.0.1:10')
      await page.keyboard.press('Enter')
      await save(page, t)
    },
    expected: ({ metadata }) => (metadata.annotations['paifang.dev/endpoints'] = '127.0.0.1:9, 127.0.0.1:10'),
  },
  {
    name: 'hosts of an HTTPRoute',
    who: 'project-regular',
    object: (of) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'edited', namespace: of, ...KEPT },
      spec: {
        parentRefs: [{ name: 'elsewhere', namespace: 'other', sectionName: 'web' }],
        hostnames: ['edited.example'],
        rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/a' }, headers: [{ name: 'x-a', value: 'b' }] }], filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { add: [{ name: 'x-c', value: 'd' }] } }], timeouts: { request: '10s' }, backendRefs: [{ name: 'web', port: 80, weight: 7 }] }],
      },
    }),
    at: on('others/httproutes/edited'),
    edit: async (page) => {
      await manage(page, t, t('others.editBackends'))
      await page.locator('#other-hosts').fill('more.example')
      await page.keyboard.press('Enter')
      await save(page, t)
    },
    expected: ({ spec }) => spec.hostnames.push('more.example'),
  },
  {
    name: 'certificate of a Secret',
    who: 'project-regular',
    object: secret,
    at: on('secrets'),
    edit: async (page) => {
      const { folder, certificate, key } = certificateFor('after.example')
      rmSync(folder, { recursive: true })
      await more(page, 'edited', t('secrets.renew'))
      await page.fill('#secret-certificate', certificate)
      await page.fill('#secret-key', key)
      await save(page, t)
      await expect(page.getByText(t('cert.names', { names: 'after.example' }))).toBeVisible()
    },
    expected: ({ data }) => Object.assign(data, { 'tls.crt': expect.any(String), 'tls.key': expect.any(String) }),
  },
  {
    name: 'options of a gateway',
    who: 'project-admin',
    object: gateway,
    at: on('gateways'),
    edit: async (page) => {
      await manage(page, t, t('do.edit'))
      await page.getByRole('dialog').locator('.pair-row').filter({ has: page.locator('input[value="2m"]') }).getByLabel(/^Value/).fill('3m')
      await page.getByRole('switch', { name: t('gateway.tracing') }).click()
      await page.fill('#endpoint', 'http://127.0.0.1:9/v1/traces')
      await save(page, t)
    },
    expected: ({ spec }) => {
      spec.config['proxy-body-size'] = '3m'
      spec.tracing = { enabled: true, endpoint: 'http://127.0.0.1:9/v1/traces' }
    },
  },
  {
    name: 'access of a gateway',
    who: 'project-admin',
    object: gateway,
    at: on('gateways'),
    edit: async (page) => {
      await manage(page, t, t('do.edit'))
      await page.getByRole('radio', { name: /LoadBalancer/ }).check()
      await choose(page, t('gateway.provider'), 'MetalLB')
      await save(page, t)
    },
    expected: ({ spec }) => Object.assign(spec.access, { type: 'LoadBalancer', provider: 'MetalLB' }),
  },
  {
    name: 'scale of a gateway',
    who: 'project-admin',
    object: gateway,
    at: on('gateways'),
    edit: async (page) => {
      await manage(page, t, t('gateway.scale'))
      await page.fill('#replicas', '5')
      await save(page, t)
    },
    expected: ({ spec }) => (spec.replicas = 5),
  },
  {
    name: 'members of a project',
    who: 'project-admin',
    object: (of) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'edited', namespace: of, ...KEPT }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'viewer' }, subjects: ['anna', 'ben'].map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })) }),
    at: on('members'),
    edit: async (page) => {
      await more(page, 'anna', t('members.removeDo'))
      await page.getByRole('dialog').getByRole('button', { name: t('members.removeDo'), exact: true }).click()
      await expect(page.getByRole('row').filter({ hasText: 'anna' })).toHaveCount(0)
    },
    expected: (object) => (object.subjects = object.subjects.filter((it: { name: string }) => it.name !== 'anna')),
  },
  {
    name: 'a role of a project',
    who: 'project-admin',
    object: (of) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'edited', namespace: of, labels: KEPT.labels, annotations: { ...KEPT.annotations, 'paifang.dev/permissions': '{"routes":"view"}' } }, rules: [] }),
    at: on('roles'),
    edit: async (page) => {
      await more(page, 'edited', t('do.edit'))
      await page.fill('#role-description', 'Looks around')
      await save(page, t)
    },
    expected: (object) => {
      object.metadata.annotations['kubesphere.io/description'] = 'Looks around'
      object.rules = expect.any(Array)
    },
  },
  {
    name: 'a user',
    who: 'admin',
    object: (of) => ({ apiVersion: 'paifang.dev/v1alpha1', kind: 'User', metadata: { name: of, ...KEPT }, spec: { displayName: 'Before', identities: [`someone-${of}`] } }),
    at: () => '/users',
    edit: async (page, of) => {
      await more(page, of, t('do.edit'))
      await page.fill('#user-display', 'After')
      await page.fill('#user-email', 'after@example.com')
      await save(page, t)
      await more(page, of, t('users.suspend'))
      await page.getByRole('dialog').getByRole('button', { name: t('users.suspend'), exact: true }).click()
      await expect(page.getByRole('dialog')).toHaveCount(0)
    },
    expected: ({ spec }) => Object.assign(spec, { displayName: 'After', email: 'after@example.com', suspended: true }),
  },
  {
    name: 'a workspace',
    who: 'admin',
    object: (of) => ({ apiVersion: 'paifang.dev/v1alpha1', kind: 'Workspace', metadata: { name: of, ...KEPT }, spec: { admins: ['project-admin'] } }),
    at: (of) => `/workspaces/${of}`,
    edit: async (page) => {
      await manage(page, t, t('do.edit'))
      await page.fill('#place-alias', 'After')
      await save(page, t)
    },
    expected: ({ metadata }) => (metadata.annotations['kubesphere.io/alias-name'] = 'After'),
  },
  {
    name: 'a project',
    who: 'admin',
    object: (of) => ({ apiVersion: 'paifang.dev/v1alpha1', kind: 'Project', metadata: { name: `${of}-inside`, namespace: 'workspace-demo-workspace', ...KEPT }, spec: { admins: ['project-admin'] } }),
    at: () => '/workspaces/demo-workspace',
    edit: async (page, of) => {
      await more(page, `${of}-inside`, t('do.edit'))
      await page.fill('#place-alias', 'After')
      await page.fill('#place-description', 'By form')
      await save(page, t)
    },
    expected: ({ metadata }) => Object.assign(metadata.annotations, { 'kubesphere.io/alias-name': 'After', 'kubesphere.io/description': 'By form' }),
  },
]

/** Kinds that get a finalizer soon after they were made. */
const FINALIZED = ['user', 'project']

/** What people wrote, without what the API keeps. */
function written({ status: _, metadata, ...object }: any): any {
  const { resourceVersion, generation, managedFields, uid, creationTimestamp, ...mine } = metadata
  return { ...object, metadata: mine }
}

let of = ''
test.beforeAll(async () => {
  of = await project('edits')
  await apply('admin', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: of, annotations: { 'paifang.dev/endpoints': '127.0.0.1:9' } }, spec: { ports: [{ name: 'http', port: 80 }] } })
})

for (const { name, who, object, at, edit, expected } of FORMS)
  test(`a form keeps what it does not know: ${name}`, async ({ page }) => {
    const manifest = object(of)
    const { namespace } = manifest.metadata
    const kind = String(manifest.kind).toLowerCase()
    const words = [kind === 'ingressgateway' ? 'igw' : kind, manifest.metadata.name, ...(namespace ? ['-n', namespace] : [])]
    await kubectl('admin', ['delete', '--ignore-not-found', ...words])
    await kubectl('admin', ['create', '--save-config', '-f', '-'], manifest)
    if (FINALIZED.includes(kind)) await expect.poll(async () => (await read('admin', ...words)).metadata.finalizers).toBeDefined()
    const before = written(await read('admin', ...words))
    await speak(page, 'en')
    await enter(page, who, at(of))
    await edit(page, of)
    expected(before)
    await expect.poll(async () => written(await read('admin', ...words))).toEqual(before)
    if (kind === 'workspace') await paifang('workspace', 'delete', of)
    else await kubectl('admin', ['delete', ...words])
  })
