// The difference of two objects as a JSON patch (RFC 6902), and what an edit by form sends.
import type { Obj } from '../api/types'

export type Step = { op: 'add' | 'replace' | 'test'; path: string; value: unknown } | { op: 'remove'; path: string }

/** The steps from `read` to `edited`, refused by the API where the object is no longer as read. */
export function editPatch(read: Obj, edited: Obj): Step[] {
  return [{ op: 'test', path: '/metadata/resourceVersion', value: read.metadata.resourceVersion }, ...difference(read, edited)]
}

export function difference(before: unknown, after: unknown, path = ''): Step[] {
  if (before === after) return []
  if (Array.isArray(before) && Array.isArray(after)) return ofLists(before, after, path)
  if (isObject(before) && isObject(after)) return ofObjects(before, after, path)
  return [{ op: 'replace', path, value: after }]
}

function ofObjects(before: Record<string, unknown>, after: Record<string, unknown>, path: string): Step[] {
  const steps: Step[] = []
  for (const key of Object.keys(before)) if (after[key] === undefined && before[key] !== undefined) steps.push({ op: 'remove', path: `${path}/${escape(key)}` })
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue
    if (before[key] === undefined) steps.push({ op: 'add', path: `${path}/${escape(key)}`, value })
    else steps.push(...difference(before[key], value, `${path}/${escape(key)}`))
  }
  return steps
}

/** Lists of another length are replaced as a whole: what is where in them is nothing that a path can say. */
function ofLists(before: unknown[], after: unknown[], path: string): Step[] {
  if (before.length !== after.length) return [{ op: 'replace', path, value: after }]
  return after.flatMap((value, index) => difference(before[index], value, `${path}/${index}`))
}

const isObject = (it: unknown): it is Record<string, unknown> => typeof it === 'object' && it !== null && !Array.isArray(it)
const escape = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Sets or, where it is empty, takes away one entry of a map; a map without entries goes, too. */
export function withEntry(map: Record<string, string> | undefined, key: string, value: string | undefined): Record<string, string> | undefined {
  const next = { ...map }
  if (value) next[key] = value
  else delete next[key]
  return Object.keys(next).length > 0 ? next : undefined
}
