// Several objects that belong together, written together: tried first, and what was made is taken back where one is refused after all.
import { KINDS } from '../../api/kinds'
import { create, edit, remove } from '../../api/objects'
import type { Ingress } from '../../api/types'
import type { Change } from '../../forms/canary'
import { difference } from '../../forms/patch'
import { quoted } from '../../parts/command'
import { stringify } from 'yaml'

const { ingress } = KINDS

const write = (change: Change, dryRun: boolean): Promise<unknown> => {
  if (change.do === 'create') return create(ingress, change.object, dryRun)
  if (change.do === 'edit') return edit(ingress, change.read, change.edited, dryRun)
  return dryRun ? Promise.resolve() : remove(ingress, change.read.metadata.name, change.read.metadata.namespace)
}

export async function apply(changes: Change[]): Promise<void> {
  for (const change of changes) await write(change, true)
  const made: Ingress[] = []
  try {
    for (const change of changes) {
      await write(change, false)
      if (change.do === 'create') made.push(change.object)
    }
  } catch (refusal) {
    for (const { metadata } of made) await remove(ingress, metadata.name, metadata.namespace).catch(() => undefined)
    throw refusal
  }
}

export const applied = (objects: object[]) => `kubectl apply -f - <<'END'\n${objects.map((it) => stringify(it)).join('---\n')}END`

/** The same by kubectl. */
export function commands(changes: Change[]): string[] {
  return changes.map((change) => {
    if (change.do === 'create') return applied([change.object])
    const { name, namespace } = change.read.metadata
    if (change.do === 'delete') return `kubectl delete ingress ${name} -n ${namespace}`
    return `kubectl patch ingress ${name} -n ${namespace} --type=json -p ${quoted(JSON.stringify(difference(change.read, change.edited)))}`
  })
}
