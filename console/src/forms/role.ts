// A role of one's own ↔ permissions by name. Its annotation names them; its rules are what the catalogue says they are.
import type { Permission, Rule } from '../api/console'
import type { Role } from '../api/types'
import { descriptionOf, writeNaming } from './names'

export const PERMISSIONS = 'paifang.dev/permissions'

/** Permission → level. */
export type Chosen = Record<string, string>

export interface RoleForm {
  name: string
  description: string
  chosen: Chosen
}

export function newRole(namespace: string, form: RoleForm, catalogue: Permission[]): Omit<Role, 'apiVersion' | 'kind'> {
  const { metadata, rules } = writeRole({ apiVersion: '', kind: '', metadata: { name: form.name, namespace } }, form, catalogue)
  return { metadata, rules: rules ?? [] }
}

export const readRole = (role: Role): RoleForm => ({ name: role.metadata.name, description: descriptionOf(role), chosen: chosenOf(role) ?? {} })

/** The role with what the form says; what else its annotations say stays. */
export function writeRole(role: Role, { description, chosen }: Omit<RoleForm, 'name'>, catalogue: Permission[]): Role {
  const named = { ...role, metadata: { ...role.metadata, annotations: { ...role.metadata.annotations, [PERMISSIONS]: written(chosen) } } }
  return { ...writeNaming(named, { alias: role.metadata.annotations?.['kubesphere.io/alias-name'] ?? '', description }), rules: rulesOf(chosen, catalogue) }
}

const written = (chosen: Chosen) => JSON.stringify(Object.fromEntries(sorted(Object.entries(chosen), ([name]) => name)))

export const rulesOf = (chosen: Chosen, catalogue: Permission[]): Rule[] =>
  gathered(Object.entries(chosen).flatMap(([permission, level]) => catalogue.find((it) => it.name === permission)?.levels[level] ?? []))

/** As few rules as there are groups and sets of verbs, in the order in which the command line writes them. */
function gathered(rules: Rule[]): Rule[] {
  const verbs = new Map<string, Set<string>>()
  for (const rule of rules)
    for (const group of rule.apiGroups)
      for (const resource of rule.resources) {
        const place = `${group}\n${resource}`
        verbs.set(place, new Set([...(verbs.get(place) ?? []), ...rule.verbs]))
      }
  const together = new Map<string, Rule>()
  for (const [place, of] of verbs) {
    const [group = '', resource = ''] = place.split('\n')
    const list = sorted([...of], (it) => it)
    const mark = JSON.stringify([group, list])
    const before = together.get(mark)?.resources ?? []
    together.set(mark, { apiGroups: [group], resources: sorted([...before, resource], (it) => it), verbs: list })
  }
  return sorted([...together.values()], (it) => JSON.stringify([it.apiGroups, it.resources]))
}

const sorted = <T>(list: T[], by: (it: T) => string): T[] => list.toSorted((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0))

/** What its annotation says that it allows; `null`: it says nothing that can be read. */
export function chosenOf(role: Role): Chosen | null {
  try {
    const named = JSON.parse(role.metadata.annotations?.[PERMISSIONS] ?? 'null') as Chosen | null
    return named && typeof named === 'object' ? Object.fromEntries(Object.entries(named).map(([name, level]) => [name, String(level)])) : null
  } catch {
    return null
  }
}

/** The same in one line, with the levels as people call them. */
export const permissionsOf = (role: Role, call: (key: string, otherwise: string) => string, named: (permission: string) => string = (it) => it): string =>
  Object.entries(chosenOf(role) ?? {})
    .map(([name, level]) => `${named(name)}: ${call(`level.${level}`, level)}`)
    .join(', ')

/** Whether its rules are others than those of the permissions it names: somebody has changed them by hand. */
export function hasDrifted(role: Role, catalogue: Permission[]): boolean {
  const chosen = chosenOf(role)
  if (!chosen) return false
  const marks = (rules: readonly unknown[]) => new Set(rules.map((it) => JSON.stringify(normal(it as Partial<Rule>))))
  const [are, should] = [marks(role.rules ?? []), marks(rulesOf(chosen, catalogue))]
  return are.size !== should.size || [...are].some((it) => !should.has(it))
}

const normal = ({ apiGroups = [], resources = [], verbs = [], ...more }: Partial<Rule>) => ({ apiGroups: apiGroups.toSorted(), resources: resources.toSorted(), verbs: verbs.toSorted(), ...more })
