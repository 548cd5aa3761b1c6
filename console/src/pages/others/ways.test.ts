// The same cases as the rows of `paifang get access` have, so that page and command agree.
import { describe, expect, it } from 'vitest'
import type { Serving } from '../../api/console'
import type { IngressGateway, Loose, Service } from '../../api/types'
import { lines } from '../routes/address'
import { meet, narrower } from './parents'
import { parentsOf, waysOf } from './ways'

const everybodys: Serving = { namespace: 'kubesphere-system', name: 'cluster', scope: 'Cluster', type: 'LoadBalancer', addresses: ['127.1.0.1'], nodes: ['10.0.0.5'], ports: [{ name: 'http', port: 80, reachedAt: 80 }] }
const good = (message: string) => [{ type: 'Programmed', status: 'True', reason: 'Programmed', message }]

type Listener = Record<string, unknown> & { name: string }
function gatewayApi(listeners: Listener[], programmed: string, addresses = ['127.1.0.2']): Loose {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'edge', namespace: 'demo' }, spec: { gatewayClassName: 'paifang', listeners },
    status: { addresses: addresses.map((value) => ({ type: 'IPAddress', value })), conditions: good(programmed), listeners: listeners.map(({ name }) => ({ name, conditions: good(programmed) })) },
  }
}
const HTTP = { name: 'http', port: 80, protocol: 'HTTP', hostname: '*.demo.example' }
const HTTPS = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } }

function route(hostnames: string[], more: Partial<Loose> = {}, spec: object = {}): Loose {
  const rules = [{ matches: [{ path: { type: 'Exact', value: '/get' } }], backendRefs: [{ name: 'web', port: 80 }] }]
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'web', namespace: 'demo' }, ...more, spec: { hostnames, parentRefs: [{ name: 'edge' }], rules, ...spec } }
}

const istio = (servers: object[], selector: object = { istio: 'ingressgateway' }, programmed = 'port 80 is served'): Loose => ({ apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name: 'gw', namespace: 'demo' }, spec: { selector, servers }, status: { conditions: good(programmed) } })
const PLAIN = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }
const virtual = (spec: object = {}): Loose => ({
  apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'web', namespace: 'demo' },
  spec: { hosts: ['Httpbin.example.com'], gateways: ['gw', 'mesh'], http: [{ match: [{ uri: { prefix: '/status' } }], route: [{ destination: { host: 'httpbin', port: { number: 8000 } } }] }], ...spec },
})

function ways(object: Loose, parents: Loose[], more: { serving?: Serving[]; requested?: IngressGateway[]; services?: Service[] } = {}) {
  const beside = { parents: new Map(parents.map((it) => [`${it.metadata.namespace}/${it.metadata.name}`, it])), serving: [everybodys], requested: [], services: [], ...more }
  return waysOf(object, beside).map(({ reach, gateway, fallback, said }) => ({ host: reach.host, path: reach.path, url: reach.url, type: gateway?.type, said: said?.reason, ...lines(reach, gateway, fallback) }))
}

describe('a route of Gateway API', () => {
  it('is reached where its Gateway is, at the port that is really there', () => {
    expect(ways(route(['a.demo.example']), [gatewayApi([HTTP], 'port 80 is reached as port 10080')])).toEqual([
      { host: 'a.demo.example', path: '/get', url: 'http://a.demo.example:10080/get', type: 'LoadBalancer', said: undefined, hosts: '127.1.0.2 a.demo.example', curl: 'curl --resolve a.demo.example:10080:127.1.0.2 http://a.demo.example:10080/get' },
    ])
  })
  it('says which Gateway has no place for it, refuses it, or is not there', () => {
    const of = (object: Loose, ...parents: Loose[]) => ways(object, parents).map((it) => [it.url, it.said])
    expect(of(route(['a.other.example']), gatewayApi([HTTP], 'port 80 is served'))).toEqual([['', 'NoListenerOfGateway']])
    expect(of(route(['a.demo.example']))).toEqual([['', 'GatewayMissing']])
    const parents = [{ parentRef: { name: 'edge' }, conditions: [{ type: 'Accepted', status: 'False', reason: 'NotAllowed', message: 'no' }] }]
    expect(of(route(['a.demo.example'], { status: { parents } }), gatewayApi([HTTP], ''))).toEqual([['', 'GatewayRefuses']])
    expect(of(route(['a.demo.example'], {}, { parentRefs: [{ name: 'web', kind: 'Service' }] }))).toEqual([['', 'ParentIsNoGateway']])
    expect(of(route(['a.demo.example']), gatewayApi([HTTP], '', []))).toEqual([['', 'NoAddressYet']])
  })
  it('is visited by https where a listener ends TLS, and by the section it names', () => {
    const both = gatewayApi([HTTP, HTTPS], 'port 80 is served; port 443 is served')
    expect(ways(route(['a.demo.example']), [both])[0]?.url).toBe('https://a.demo.example/get')
    expect(ways(route(['a.demo.example'], {}, { parentRefs: [{ name: 'edge', sectionName: 'http' }] }), [both])[0]?.url).toBe('http://a.demo.example/get')
  })
  it('has the host that was made for it, or answers every one', () => {
    const both = gatewayApi([HTTPS], 'port 443 is served')
    const annotations = { 'paifang.dev/generated-host': 'web.demo.127.1.0.2.nip.io' }
    expect(ways(route([], { metadata: { name: 'web', namespace: 'demo', annotations } }), [both])[0]?.host).toBe('web.demo.127.1.0.2.nip.io')
    expect(ways(route([]), [both])[0]).toMatchObject({ host: '', url: 'https://127.1.0.2/get', hosts: '' })
    expect(ways(route([], {}, { parentRefs: [{ name: 'edge' }] }), [gatewayApi([HTTP], '')])[0]).toMatchObject({ host: '*.demo.example', url: '' })
  })
  it('of an expression, is visited at what stands before it', () => {
    const rules = [{ matches: [{ path: { type: 'RegularExpression', value: '/api/v[12]/x(.*)' } }] }]
    expect(ways(route(['a.demo.example'], {}, { rules }), [gatewayApi([HTTP], '')])[0]?.url).toBe('http://a.demo.example/api/')
  })
  it('by TLS alone has no path', () => {
    const tls = { ...route(['a.demo.example'], {}, { rules: [{ backendRefs: [{ name: 'web', port: 443 }] }] }), kind: 'TLSRoute' }
    const passing = { name: 'tls', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } }
    expect(ways(tls, [gatewayApi([HTTPS, passing], '')])).toMatchObject([{ path: '', url: 'https://a.demo.example/' }])
  })
  it('by node ports says so, as the Service of its Gateway does', () => {
    const services = [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'edge-paifang', namespace: 'demo', labels: { 'gateway.networking.k8s.io/gateway-name': 'edge' } }, spec: { type: 'NodePort' } }]
    expect(ways(route(['a.demo.example']), [gatewayApi([HTTP], '')], { services })[0]?.type).toBe('NodePort')
    expect(ways(route(['a.demo.example']), [gatewayApi([HTTP], 'port 80 is reached as port 30100')])[0]?.type).toBe('NodePort')
  })
})

describe('a VirtualService', () => {
  it('is reached where the gateway of its labels is', () => {
    expect(ways(virtual(), [istio([PLAIN])])).toMatchObject([{ host: 'httpbin.example.com', path: '/status', url: 'http://httpbin.example.com/status', curl: 'curl --resolve httpbin.example.com:80:127.1.0.1 http://httpbin.example.com/status' }])
    expect(ways(virtual(), [istio([PLAIN], { istio: 'ingressgateway' }, 'port 80 is reached as port 10080')])[0]?.url).toBe('http://httpbin.example.com:10080/status')
  })
  it('is reached at the gateway that the project asked for with these labels', () => {
    const requested = [{ apiVersion: '', kind: 'IngressGateway', metadata: { name: 'own', namespace: 'demo' }, spec: { labels: { app: 'own' } } }] as unknown as IngressGateway[]
    const serving = [everybodys, { ...everybodys, namespace: 'demo', name: 'own', scope: 'Project' as const, addresses: ['127.1.0.9'] }]
    expect(ways(virtual(), [istio([PLAIN], { app: 'own' })], { requested, serving })[0]?.hosts).toBe('127.1.0.9 httpbin.example.com')
    expect(ways(virtual(), [istio([PLAIN], { app: 'another' })], { requested, serving })[0]?.said).toBe('GatewayUnseen')
  })
  it('says which Gateway is not there, or has no server for it', () => {
    expect(ways(virtual(), [])[0]?.said).toBe('GatewayMissing')
    expect(ways(virtual(), [istio([{ ...PLAIN, hosts: ['demo/*.shop.example'] }])])[0]?.said).toBe('NoServerOfGateway')
    expect(ways(virtual({ gateways: ['mesh'] }), [])).toEqual([])
  })
  it('names the Gateways of other projects with their project', () => expect(parentsOf(virtual({ gateways: ['gw', 'shared/edge', 'mesh'] }))).toEqual(['demo/gw', 'shared/edge']))
})

describe('two domains', () => {
  it('meet where one name is both, and the narrower is served', () => {
    expect([meet('*', 'a.b'), meet('*.b', 'a.b'), meet('a.b', '*.b'), meet('*.b', 'b'), meet('a.b', 'a.c')]).toEqual([true, true, true, false, false])
    expect([narrower('*', '*.b'), narrower('*.b', 'a.b'), narrower('a.b', '*.b'), narrower('*.a.b', '*.b')]).toEqual(['*.b', 'a.b', 'a.b', '*.a.b'])
  })
})

it('a path cannot leave the command', () => {
  const rules = [{ matches: [{ path: { type: 'Exact', value: "/a'; rm -rf $HOME #" } }] }]
  expect(ways(route(['a.demo.example'], {}, { rules }), [gatewayApi([HTTP], '')])[0]?.curl).toMatch(/ 'http:\/\/a\.demo\.example\/a'\\''; rm -rf \$HOME #'$/)
})
