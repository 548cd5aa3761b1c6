import { describe, expect, it } from 'vitest'
import type { Ingress, IngressGateway } from '../api/types'
import { entryProblems, isKey } from './entries'
import { EMPTY_GATEWAY, gatewayProblems, newGateway, readGateway, writeGateway } from './gateway'
import { isHost } from './names'
import { difference, editPatch } from './patch'
import { emptyRoute, emptyRule, newRoute, readRoute, ruleProblems, writeInformation, writeMetadata, writeRules } from './route'

const foreign = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop', resourceVersion: '7', finalizers: ['x/y'], annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'other/key': 'kept' }, labels: { app: 'web' } },
  spec: {
    ingressClassName: 'nginx',
    defaultBackend: { service: { name: 'fallback', port: { number: 80 } } },
    tls: [{ hosts: ['other.example'], secretName: 'other' }, { hosts: ['a.example'], secretName: 'tls-a', later: 1 }],
    rules: [{ host: 'a.example', later: true, http: { paths: [{ path: '/', pathType: 'Prefix', later: 2, backend: { service: { name: 'web', port: { name: 'http' } } } }] } }],
  },
} as unknown as Ingress

describe('patches', () => {
  it('touch nothing that is the same, and escape keys', () => {
    expect(difference({ a: { 'x/y~z': '1', b: 2 } }, { a: { 'x/y~z': '2', b: 2 } })).toEqual([{ op: 'replace', path: '/a/x~1y~0z', value: '2' }])
    expect(difference({ a: 1, b: 1 }, { b: 1, c: [1] })).toEqual([{ op: 'remove', path: '/a' }, { op: 'add', path: '/c', value: [1] }])
    expect(difference([{ a: 1, k: 1 }], [{ a: 2, k: 1 }])).toEqual([{ op: 'replace', path: '/0/a', value: 2 }])
    expect(difference([1, 2], [1])).toEqual([{ op: 'replace', path: '', value: [1] }])
  })
  it('begin with the version that was read', () => {
    expect(editPatch(foreign, foreign)).toEqual([{ op: 'test', path: '/metadata/resourceVersion', value: '7' }])
  })
})

describe('a route', () => {
  it('that is read and written again is the same', () => {
    const form = readRoute(foreign)
    expect(difference(foreign, writeMetadata(writeInformation(writeRules(foreign, form.rules), form), form))).toEqual([])
  })
  it('keeps fields that the form does not know', () => {
    const form = readRoute(foreign)
    const rule = form.rules[0]
    if (!rule?.paths[0]) throw new Error('a path was there')
    rule.paths[0].port = '8080'
    rule.host = 'b.example'
    const steps = editPatch(foreign, writeRules(foreign, form.rules))
    expect(steps).toHaveLength(5)
    expect(steps).toEqual(
      expect.arrayContaining([
        { op: 'test', path: '/metadata/resourceVersion', value: '7' },
        { op: 'remove', path: '/spec/rules/0/http/paths/0/backend/service/port/name' },
        { op: 'add', path: '/spec/rules/0/http/paths/0/backend/service/port/number', value: 8080 },
        { op: 'replace', path: '/spec/rules/0/host', value: 'b.example' },
        { op: 'replace', path: '/spec/tls/1/hosts/0', value: 'b.example' },
      ]),
    )
  })
  it('edited by annotations keeps those that are not shown', () => {
    const form = readRoute(foreign)
    expect(form.annotations).toEqual([{ key: 'other/key', value: 'kept' }])
    const edited = writeMetadata(foreign, { annotations: [{ key: 'new/key', value: 'v' }], labels: form.labels })
    expect(edited.metadata.annotations).toEqual({ 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'new/key': 'v' })
  })
  it('of the wizard is what one would write by hand', () => {
    const form = emptyRoute('domain')
    form.name = 'shop'
    form.rules = [{ mode: 'domain', host: 'demo.kubesphere.io', protocol: 'https', secret: 'demo-tls', paths: [{ path: '/', pathType: 'Prefix', service: 'web', port: 'http' }, { path: '/api', pathType: 'Prefix', service: 'api', port: '8080' }] }]
    expect(newRoute('demo-project', form)).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', namespace: 'demo-project' },
      spec: {
        rules: [{ host: 'demo.kubesphere.io', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } }, { path: '/api', pathType: 'Prefix', backend: { service: { name: 'api', port: { number: 8080 } } } }] } }],
        tls: [{ hosts: ['demo.kubesphere.io'], secretName: 'demo-tls' }],
      },
    })
  })
  it('with a generated host asks for it by annotation, and no longer when its domain is given', () => {
    const form = emptyRoute('auto')
    form.name = 'mine'
    const made = newRoute('p', form)
    expect(made.metadata.annotations).toEqual({ 'paifang.dev/host': 'auto' })
    expect(made.spec.rules?.[0]).not.toHaveProperty('host')
    const again = readRoute(made)
    expect(again.rules[0]?.mode).toBe('auto')
    const named = writeRules(made, [{ ...emptyRule('domain'), host: 'a.b' }])
    expect(named.metadata.annotations).toBeUndefined()
  })
  it('says what is wrong, and where', () => {
    const path = { path: '/', pathType: 'Prefix', service: 'web', port: '80' }
    const rules = [{ ...emptyRule('domain'), host: '*foo.com', protocol: 'https' as const, paths: [path, { ...path }, { ...path, path: 'x', service: '', port: '' }] }, { ...emptyRule('domain'), paths: [] }]
    expect(ruleProblems(rules).map((it) => `${it.field} ${it.reason}`)).toEqual([
      'rules.0.paths.1.path pathTwice',
      'rules.0.paths.2.path path',
      'rules.0.paths.2.service required',
      'rules.0.paths.2.port required',
      'rules.0.host host',
      'rules.0.secret secret',
      'rules.1.paths noPaths',
    ])
    expect(ruleProblems([])).toEqual([{ field: 'rules', reason: 'noRules' }])
  })
})

describe('a gateway', () => {
  const read = { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', namespace: 'shop', resourceVersion: '3' }, spec: { scope: 'Project', replicas: 3, access: { type: 'NodePort', publicAddresses: ['a.example'], nodePorts: { http: 30100 } }, governance: true, config: { hsts: 'true' } } } as unknown as IngressGateway
  it('that is read and written again is the same', () => expect(difference(read, writeGateway(read, readGateway(read)))).toEqual([]))
  it('keeps fields that the form does not know', () => {
    const edited = writeGateway(read, { ...readGateway(read), type: 'LoadBalancer', provider: 'OpenELB', tracing: false, httpPort: null })
    expect(difference(read, edited)).toEqual([
      { op: 'remove', path: '/spec/governance' },
      { op: 'remove', path: '/spec/access/nodePorts' },
      { op: 'replace', path: '/spec/access/type', value: 'LoadBalancer' },
      { op: 'add', path: '/spec/access/provider', value: 'OpenELB' },
    ])
  })
  it('is asked for with no more than was chosen', () => {
    expect(newGateway('shop', 'me', { ...EMPTY_GATEWAY, tracing: true, config: [{ key: 'proxy-body-size', value: '1m' }] }).spec).toEqual({ scope: 'Project', access: { type: 'NodePort' }, tracing: { enabled: true }, config: { 'proxy-body-size': '1m' } })
  })
  it('says what is wrong, and where', () => {
    const form = { ...EMPTY_GATEWAY, httpPort: 30_100, httpsPort: 30_100, config: [{ key: 'a', value: '1' }, { key: 'a', value: '2' }] }
    expect(gatewayProblems(form)).toEqual([{ field: 'httpsPort', reason: 'samePort' }, { field: 'config', reason: 'rows' }])
    expect(gatewayProblems({ ...EMPTY_GATEWAY, httpPort: 70_000 })).toEqual([{ field: 'httpPort', reason: 'port' }])
    const range = { from: 30_000, to: 30_099 }
    expect(gatewayProblems({ ...EMPTY_GATEWAY, httpPort: 30_100, httpsPort: 30_099 }, range)).toEqual([{ field: 'httpPort', reason: 'range' }])
    // What stands there already keeps nobody from changing something else.
    expect(gatewayProblems({ ...EMPTY_GATEWAY, httpPort: 30_100 }, range, { ...EMPTY_GATEWAY, httpPort: 30_100 })).toEqual([])
    expect(gatewayProblems({ ...EMPTY_GATEWAY, type: 'LoadBalancer', httpPort: 30_100 }, range)).toEqual([])
  })
})

describe('keys and hosts', () => {
  it('are judged as Kubernetes does', () => {
    expect(['a', 'a.b/c_d', 'x/y/z', '-a', 'A.b/c', 'a/'].map(isKey)).toEqual([true, true, false, false, false, false])
    expect(['a', '*.foo.com', '*foo.com', 'Foo.com', 'a..b', '10.0.0.1', 'demo.kubesphere.io'].map(isHost)).toEqual([true, true, false, false, false, false, true])
    expect([...entryProblems([{ key: '', value: 'x' }, { key: 'a b', value: '' }, { key: 'ok', value: 'not ok' }], 'labels').values()]).toEqual(['emptyKey', 'badKey', 'badLabel'])
  })
})
