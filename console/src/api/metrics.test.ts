import { describe, expect, it } from 'vitest'
import type { Metrics } from './console'
import { evened } from './metrics'

const point = (at: number, requests: number) => ({ at, requests, s2xx: requests, s3xx: 0, s4xx: 0, s5xx: 0, connections: 3, bytesIn: 0, bytesOut: requests * 10, mean: 1, p50: 1, p95: 2, p99: 3 })
const metrics = (until: number): Metrics => ({ step: 15, until, points: [point(100, 30), point(115, 10)], total: point(0, 40) })
const newest = (until: number) => evened(metrics(until)).points.at(-1)

describe('the newest step', () => {
  it('stands for all of it while it goes on', () => {
    expect(newest(120)).toMatchObject({ at: 115, requests: 30, s2xx: 30, bytesOut: 300, connections: 3, p95: 2 })
    expect(newest(125)).toMatchObject({ at: 115, requests: 15 })
    expect(evened(metrics(120)).points[0]).toMatchObject({ at: 100, requests: 30 })
  })
  it('is as it is when it is over', () => {
    const over = metrics(130)
    expect(evened(over)).toBe(over)
    expect(evened({ ...over, points: [] }).points).toEqual([])
  })
})
