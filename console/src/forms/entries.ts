// Keys and values that people edit as rows: annotations, labels, options.

export interface Entry {
  key: string
  value: string
}

export type EntryProblem = 'emptyKey' | 'twice' | 'badKey' | 'badLabel'

export const readEntries = (map: Record<string, string> | undefined, shown: (key: string) => boolean = () => true): Entry[] =>
  Object.entries(map ?? {})
    .filter(([key]) => shown(key))
    .map(([key, value]) => ({ key, value }))

/** The map with the rows in the place of those entries that were shown; the hidden ones stay. */
export function writeEntries(map: Record<string, string> | undefined, rows: Entry[], shown: (key: string) => boolean = () => true): Record<string, string> | undefined {
  const hidden = Object.entries(map ?? {}).filter(([key]) => !shown(key))
  const next = Object.fromEntries([...hidden, ...rows.filter((row) => row.key.trim() !== '').map((row) => [row.key.trim(), row.value] as const)])
  return Object.keys(next).length > 0 ? next : undefined
}

const NAME = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/
const PREFIX = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** Whether Kubernetes takes this as the key of an annotation or a label. */
export function isKey(key: string): boolean {
  const parts = key.split('/')
  if (parts.length > 2) return false
  const name = parts.at(-1) ?? ''
  return NAME.test(name) && (parts.length === 1 || PREFIX.test(parts[0] ?? ''))
}

export const isLabelValue = (value: string) => value === '' || NAME.test(value)

/** What is wrong with each row, by its index. */
export function entryProblems(rows: Entry[], of: 'annotations' | 'labels' | 'options'): Map<number, EntryProblem> {
  const problems = new Map<number, EntryProblem>()
  const seen = new Set<string>()
  rows.forEach((row, index) => {
    const key = row.key.trim()
    if (key === '') {
      if (row.value !== '') problems.set(index, 'emptyKey')
      return
    }
    if (seen.has(key)) problems.set(index, 'twice')
    else if (of !== 'options' && !isKey(key)) problems.set(index, 'badKey')
    else if (of === 'labels' && !isLabelValue(row.value)) problems.set(index, 'badLabel')
    seen.add(key)
  })
  return problems
}

/** Annotations that tools keep for themselves, or that a form has a field of its own for. */
export const isShownAnnotation = (key: string) =>
  !['kubectl.kubernetes.io/last-applied-configuration', 'kubesphere.io/alias-name', 'kubesphere.io/description', 'kubesphere.io/creator', 'paifang.dev/host', 'paifang.dev/generated-host'].includes(key)
