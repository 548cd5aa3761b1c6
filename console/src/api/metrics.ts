// What gateways have counted, with a newest step that is as good as the others.
import { ask } from './client'
import type { Metrics } from './console'

/** Gateways count every so many seconds. */
const TICK = 5

export const metricsAt = (path: string): Promise<Metrics> => ask<Metrics>(path).then((it) => evened(it, Date.now() / 1000))

/** The newest step is not over: what it has counted so far stands for all of it, and where that is nothing yet it is left away. Else every line would fall at its end. */
export function evened(metrics: Metrics, now: number): Metrics {
  const { points, step } = metrics
  const last = points.at(-1)
  const past = last ? Math.floor((now - last.at) / TICK) * TICK : step
  if (!last || past >= step) return metrics
  const before = points.slice(0, -1)
  if (past < TICK) return { ...metrics, points: before }
  const by = step / past
  const newest = { ...last, requests: last.requests * by, s2xx: last.s2xx * by, s3xx: last.s3xx * by, s4xx: last.s4xx * by, s5xx: last.s5xx * by, bytesIn: last.bytesIn * by, bytesOut: last.bytesOut * by }
  return { ...metrics, points: [...before, newest] }
}
