// A role of one's own ↔ permissions by name. Its annotation names them; its rules are what the catalogue says they are.
import type { Permission, Rule } from '../api/console'
import type { Role } from '../api/types'
import { writeNaming } from './names'

export const PERMISSIONS = 'paifang.dev/permissions'

/** Permission → level. */
export type Chosen = Record<string, string>

export function newRole(namespace: string, { name, description, chosen }: { name: string; description: string; chosen: Chosen }, catalogue: Permission[]): Omit<Role, 'apiVersion' | 'kind'> {
  const sorted = Object.entries(chosen).sort(([a], [b]) => (a < b ? -1 : 1))
  const rules = sorted.flatMap(([permission, level]) => catalogue.find((it) => it.name === permission)?.levels[level] ?? [])
  const role = { apiVersion: '', kind: '', metadata: { name, namespace, annotations: { [PERMISSIONS]: JSON.stringify(Object.fromEntries(sorted)) } }, rules: distinct(rules) }
  const { metadata } = writeNaming(role, { alias: '', description })
  return { metadata, rules: role.rules }
}

function distinct(rules: Rule[]): Rule[] {
  const seen = new Set<string>()
  return rules.filter((rule) => {
    const mark = JSON.stringify(rule)
    return !seen.has(mark) && seen.add(mark)
  })
}

/** What its annotation says that it allows, in one line. */
export function permissionsOf(role: Role): string {
  try {
    const named = JSON.parse(role.metadata.annotations?.[PERMISSIONS] ?? '{}') as Chosen
    return Object.entries(named).map(([name, level]) => `${name}=${String(level)}`).join(', ')
  } catch {
    return ''
  }
}
