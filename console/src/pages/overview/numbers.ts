// What goes through several gateways, as if it were one.
import type { Metrics } from '../../api/console'

export interface Sum {
  at: number[]
  /** Per second. */
  requests: number[]
  failed: number[]
  /** Of the slowest gateway: quantiles of several cannot be added. */
  p95: (number | null)[]
  connections: number
  total: { requests: number; s4xx: number; s5xx: number; p95: number | null }
}

const most = (values: (number | null)[]) => values.reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null)

export function sum(all: Metrics[]): Sum {
  const at = [...new Set(all.flatMap((it) => it.points.map((point) => point.at)))].sort((a, b) => a - b)
  const by = all.map(({ step, points }) => ({ step, at: new Map(points.map((point) => [point.at, point])) }))
  const each = (of: (point: Metrics['points'][number], step: number) => number) => at.map((moment) => by.reduce((total, it) => total + (it.at.has(moment) ? of(it.at.get(moment)!, it.step) : 0), 0))
  const total = (key: 'requests' | 's4xx' | 's5xx') => all.reduce((count, it) => count + it.total[key], 0)
  return {
    at,
    requests: each((it, step) => it.requests / step),
    failed: each((it, step) => (it.s4xx + it.s5xx) / step),
    p95: at.map((moment) => most(by.map((it) => it.at.get(moment)?.p95 ?? null))),
    connections: all.reduce((count, it) => count + (it.points.at(-1)?.connections ?? 0), 0),
    total: { requests: total('requests'), s4xx: total('s4xx'), s5xx: total('s5xx'), p95: most(all.map((it) => it.total.p95)) },
  }
}
