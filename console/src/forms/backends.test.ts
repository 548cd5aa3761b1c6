import { describe, expect, it } from 'vitest'
import type { Loose } from '../api/types'
import { backendProblems, emptyBackend, isForeign, readBackends, shares, writeBackends } from './backends'
import { difference } from './patch'

const route = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'r', namespace: 'n' },
  spec: {
    parentRefs: [{ name: 'edge' }],
    hostnames: ['a.example'],
    rules: [
      { later: 1, matches: [{ path: { type: 'PathPrefix', value: '/api' }, method: 'GET' }], filters: [{ type: 'X' }], backendRefs: [{ name: 'v1', port: 80, weight: 90, later: 2 }, { kind: 'Other', group: 'x.y', name: 'thing' }] },
      { filters: [{ type: 'RequestRedirect' }] },
    ],
  },
} as unknown as Loose
const service = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'v', namespace: 'n' },
  spec: { hosts: ['b.example'], gateways: ['mesh'], http: [{ match: [{ uri: { prefix: '/' } }], timeout: '3s', route: [{ destination: { host: 'reviews', subset: 'v1', port: { number: 9080 } }, weight: 80 }, { destination: { host: 'reviews', subset: 'v2' }, weight: 20 }] }], tcp: [{}] },
} as unknown as Loose

describe('backends by weight', () => {
  it('that are read and written again are the same', () => {
    for (const it of [route, service]) expect(difference(it, writeBackends(it.kind, it, readBackends(it.kind, it)))).toEqual([])
  })
  it('keep what the form does not know', () => {
    const form = readBackends('HTTPRoute', route)
    expect(form.rules[0]?.about).toBe('GET /api')
    form.rules[0]!.backends[0]!.weight = 10
    form.rules[0]!.backends.push({ ...emptyBackend(), name: 'v3', port: '8080', weight: 5 })
    const edited = writeBackends('HTTPRoute', route, form)
    expect((edited.spec as { rules: unknown[] }).rules).toEqual([
      { later: 1, matches: [{ path: { type: 'PathPrefix', value: '/api' }, method: 'GET' }], filters: [{ type: 'X' }], backendRefs: [{ name: 'v1', port: 80, weight: 10, later: 2 }, { kind: 'Other', group: 'x.y', name: 'thing' }, { name: 'v3', port: 8080, weight: 5 }] },
      { filters: [{ type: 'RequestRedirect' }] },
    ])
  })
  it('of a VirtualService keep subset and the rest', () => {
    const form = readBackends('VirtualService', service)
    form.rules[0]!.backends[1]!.weight = 50
    form.hosts.push('c.example')
    expect(difference(service, writeBackends('VirtualService', service, form))).toEqual([
      { op: 'replace', path: '/spec/hosts', value: ['b.example', 'c.example'] },
      { op: 'replace', path: '/spec/http/0/route/1/weight', value: 50 },
    ])
  })
  it('may be of somebody else', () => {
    const foreign = (name: string, origin: object = {}) => isForeign({ ...emptyBackend(), name, origin: { ...origin } }, 'shop')
    expect([foreign('web'), foreign('web', { kind: 'Service', namespace: 'shop' }), foreign('web.shop.svc.cluster.local')]).toEqual([false, false, false])
    expect([foreign('web', { namespace: 'other' }), foreign('bucket', { kind: 'Storage' }), foreign('web.other.svc.cluster.local'), foreign('api.example.com')]).toEqual([true, true, true, true])
  })
  it('say what is wrong, and how much each gets', () => {
    const backend = (more: object) => ({ ...emptyBackend(), name: 'a', ...more })
    const form = { hosts: ['*foo'], rules: [{ about: '', backends: [backend({ name: '', port: '0', weight: 0 }), backend({ weight: 0 })] }, { about: '', backends: [backend({ weight: -1 })] }] }
    expect(backendProblems(form).map((it) => `${it.field} ${it.reason}`)).toEqual(['hosts host', 'rules.0.backends.0.name required', 'rules.0.backends.0.port port', 'rules.0.backends weights', 'rules.1.backends.0.weight weight'])
    expect(shares([backend({ weight: 2 }), backend({ weight: null }), backend({ weight: 5 })])).toEqual([25, 12.5, 62.5])
  })
})
