// Numbers as people read them.

export const perCent = (part: number, whole: number) => (whole === 0 ? '—' : `${(Math.floor((part / whole) * 10_000) / 100).toFixed(part === whole ? 0 : 2)} %`)
export const milliseconds = (value: number | null) => (value === null ? '—' : value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} ms`)

/** Several of them, with one unit. */
export const eachMillisecond = (values: (number | null)[]) => values.every((it) => it === null) ? '—' : `${values.map((it) => (it === null ? '—' : it >= 10 ? it.toFixed(0) : it.toFixed(1))).join(' / ')} ms`

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
export function bytes(value: number): string {
  const size = value < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(value) / 10))
  return `${(value / 1024 ** size).toFixed(size === 0 ? 0 : 1)} ${SIZES[size]}`
}
