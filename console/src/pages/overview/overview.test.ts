import { describe, expect, it } from 'vitest'
import type { Metrics, Serving } from '../../api/console'
import { pathOf } from '../../parts/spark'
import { daysUntil, isUrgent } from './certificates'
import { sum } from './numbers'
import { ofServing } from './problems'

const point = (at: number, requests: number, s5xx: number, p95: number | null) => ({ at, requests, s2xx: requests - s5xx, s3xx: 0, s4xx: 0, s5xx, connections: 2, bytesIn: 0, bytesOut: 0, mean: null, p50: null, p95, p99: null })
const metrics = (...points: ReturnType<typeof point>[]): Metrics => ({ step: 5, until: 1_000, points, total: { ...point(0, 15, 5, 9), requests: points.reduce((all, it) => all + it.requests, 0) } })

describe('several gateways together', () => {
  it('are added moment by moment, and as slow as the slowest', () => {
    const both = sum([metrics(point(5, 10, 5, 3), point(10, 5, 0, null)), metrics(point(10, 20, 0, 7))])
    expect(both.at).toEqual([5, 10])
    expect(both.requests).toEqual([2, 5])
    expect(both.failed).toEqual([1, 0])
    expect(both.p95).toEqual([3, 7])
    expect(both.connections).toBe(4)
    expect(both.total.requests).toBe(35)
  })
  it('may be none', () => expect(sum([]).total).toEqual({ requests: 0, s4xx: 0, s5xx: 0, p95: null }))
})

describe('the end of a certificate', () => {
  it('is counted in days, and is a problem a month before', () => {
    const now = Date.parse('2026-01-01T00:00:00Z')
    expect(daysUntil('2026-01-31T12:00:00Z', now)).toBe(30)
    const urgent = (days: number | null, problem?: string) => isUrgent({ namespace: 'a', name: 'b', days, problem })
    expect([urgent(30), urgent(31), urgent(-1), urgent(null), urgent(null, 'no certificate')]).toEqual([true, false, true, false, true])
  })
})

describe('a gateway that nobody asked for', () => {
  const gateway = (of: Partial<Serving>): Serving => ({ namespace: 'kubesphere-system', name: 'cluster', scope: 'Cluster', type: 'LoadBalancer', addresses: [], nodes: [], ports: [{ name: 'http', port: 80, nodePort: 30_080, reachedAt: 30_080 }], ...of })
  const said = (serving: Serving[], project = '') => ofServing(serving, [], project, { t: (key) => key }).map(({ to, text }) => [to, text])
  it('is a problem as long as it waits for an address', () => {
    expect(said([gateway({})])).toEqual([['/cluster/gateways/kubesphere-system/cluster', 'gateway.byNodes']])
    expect(said([gateway({ ports: [] })])).toEqual([['/cluster/gateways/kubesphere-system/cluster', 'gateway.nowhere']])
    expect(said([gateway({ addresses: ['10.0.0.1'] })])).toEqual([])
    expect(said([gateway({ type: 'NodePort' })])).toEqual([])
  })
  it('is none of a project that has a nearer one, nor told twice', () => {
    const own = gateway({ namespace: 'shop', name: 'gateway', scope: 'Project', addresses: ['10.0.0.2'] })
    expect(said([own, gateway({})], 'shop')).toEqual([])
    expect(said([gateway({})], 'shop')).toEqual([['/projects/shop/gateways', 'gateway.byNodes']])
    const object = { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { namespace: 'kubesphere-system', name: 'cluster' }, spec: {} }
    expect(ofServing([gateway({})], [object], '', { t: (key) => key })).toEqual([])
  })
})

describe('a small line', () => {
  it('leaves gaps open, and lies on the ground where there is nothing', () => {
    expect(pathOf([0, null, 0], 0)).toBe('M0.0 53.0h0M240.0 53.0h0')
    expect(pathOf([0, 4], 4)).toBe('M0.0 53.0h0L240.0 5.0')
  })
})
