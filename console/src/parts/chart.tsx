// Lines over time, by uPlot; the same numbers as a table for who does not see them.
import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useShade } from '../shell/theme'
import { useWords } from '../words'

export interface Line {
  name: string
  tone: 'good' | 'warn' | 'bad' | 'quiet'
  values: (number | null)[]
}

interface Props {
  label: string
  at: number[]
  lines: Line[]
  show?: (value: number | null) => string
}

const plain = (value: number | null) => (value === null ? '—' : value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(value >= 10 ? 1 : 2))))
const HEIGHT = 210
const FONT = '12px system-ui'

export default function Chart({ label, at, lines, show = plain }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const { shade } = useShade()
  const { language, t } = useWords()
  const names = lines.map((line) => line.name).join()
  useEffect(() => {
    const element = place.current
    if (!element) return
    const made = new UPlot(options(element.clientWidth, lines, show, language, t('logs.time')), [at, ...lines.map((line) => line.values)], element)
    plot.current = made
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
      plot.current = null
    }
    // The data goes in below: a plot is made anew for other lines or colours alone.
  }, [shade, names, language])
  useEffect(() => plot.current?.setData([at, ...lines.map((line) => line.values)]), [at, lines])
  return (
    <figure className="chart" aria-label={label}>
      <div ref={place} aria-hidden />
      <figcaption className="hidden">{lines.map((line) => `${line.name}: ${show(line.values.at(-1) ?? null)}`).join(', ')}</figcaption>
    </figure>
  )
}

/** Where few octets or requests are drawn, several lines would be called the same. */
const once = (names: string[]) => names.map((it, index) => (it === names[index - 1] ? '' : it))

/** As wide as what stands there: a number that is cut off is another. */
function widthOf(plot: UPlot, values: string[] | null): number {
  const { ctx } = plot
  const before = ctx.font
  ctx.font = FONT
  const widest = Math.max(24, ...(values ?? []).map((it) => ctx.measureText(it).width))
  // It remembers what it set last.
  ctx.font = before
  return 20 + Math.ceil(widest)
}

const newest = (plot: UPlot) => plot.setLegend({ idx: plot.data[0].length - 1 }, false)

function options(width: number, lines: Line[], show: (value: number | null) => string, language: string, time: string): UPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const tones = { good: color('--jade'), warn: color('--warn'), bad: color('--bad'), quiet: color('--faint') }
  const axis = { stroke: color('--faint'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false }, font: FONT }
  const clock = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en', { hour: '2-digit', minute: '2-digit', hour12: false })
  return {
    width: Math.max(width, 200),
    height: HEIGHT,
    cursor: { y: false, points: { size: 6 } },
    // Where nobody points at anything, the legend has the newest.
    hooks: { ready: [newest], setData: [newest], setCursor: [(plot) => plot.cursor.idx == null && newest(plot)] },
    legend: { live: true },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.15 : 1] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => clock.format(tick * 1000)), space: 70 },
      { ...axis, size: widthOf, values: (_, ticks) => once(ticks.map((tick) => show(tick))) },
    ],
    series: [
      { label: time, value: (_, at) => (at === null ? '—' : clock.format(at * 1000)) },
      ...lines.map((line, index) => ({ label: line.name, stroke: tones[line.tone], width: 2, ...(index === 0 && { fill: `${tones[line.tone]}14` }), ...(index === 2 && { dash: [6, 4] }), ...(index === 3 && { dash: [2, 3] }), value: (_: UPlot, value: number | null) => show(value), points: { show: false }, spanGaps: true })),
    ],
  }
}
