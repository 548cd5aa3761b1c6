import { describe, expect, it } from 'vitest'
import type { Metrics } from '../../api/console'
import { pathOf } from '../../parts/spark'
import { daysUntil, isUrgent } from './certificates'
import { sum } from './numbers'

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

describe('a small line', () => {
  it('leaves gaps open, and lies on the ground where there is nothing', () => {
    expect(pathOf([0, null, 0], 0)).toBe('M0.0 53.0h0M240.0 53.0h0')
    expect(pathOf([0, 4], 4)).toBe('M0.0 53.0h0L240.0 5.0')
  })
})
