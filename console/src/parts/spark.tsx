// A small line over time, drawn by itself: no library, no axes. What it says stands beside it, and in words for who does not see it.
import type { Tone } from './basics'

const COLORS: Record<Tone, string> = { good: 'var(--jade)', warn: 'var(--warn)', bad: 'var(--bad)', quiet: 'var(--faint)' }
const [WIDTH, HEIGHT] = [240, 56]

/** The points of the line; gaps are left open, and a point between two of them is a dot. */
export function pathOf(values: (number | null)[], most: number): string {
  const step = WIDTH / Math.max(1, values.length - 1)
  let pen = 'M'
  return values
    .map((value, index) => {
      if (value === null) {
        pen = 'M'
        return ''
      }
      const point = `${pen}${(index * step).toFixed(1)} ${(HEIGHT - 3 - (most > 0 ? value / most : 0) * (HEIGHT - 8)).toFixed(1)}${pen === 'M' ? 'h0' : ''}`
      pen = 'L'
      return point
    })
    .join('')
}

export function Spark({ label, values, tone, said }: { label: string; values: (number | null)[]; tone: Tone; said: string }) {
  const most = Math.max(0, ...values.map((it) => it ?? 0))
  const whole = values.every((it) => it !== null)
  const path = pathOf(values, most)
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${said}`}>
      {whole && path && <path d={`${path}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} fill={COLORS[tone]} opacity="0.1" />}
      <path d={path} fill="none" stroke={COLORS[tone]} strokeWidth="1.800" vectorEffect="non-scaling-stroke" strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  )
}
