// What may stand where in an object's YAML, by the OpenAPI description that the API gives of its kinds.
import { isMap, isScalar, isSeq, type Document, type Node } from 'yaml'

export interface Schema {
  $ref?: string
  allOf?: Schema[]
  type?: string
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema | boolean
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  format?: string
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
}

export interface Schemas {
  root: Schema
  all: Record<string, Schema>
}

export interface Suggestion {
  name: string
  type: string
  about: string
}

export function schemasOf(document: { components?: { schemas?: Record<string, Schema> } }, group: string, version: string, kind: string): Schemas | null {
  const all = document.components?.schemas ?? {}
  const root = Object.values(all).find((it) => it['x-kubernetes-group-version-kind']?.some((one) => one.group === group && one.version === version && one.kind === kind))
  return root ? { root, all } : null
}

function resolve(schemas: Schemas, schema: Schema | undefined): Schema | undefined {
  const target = schema?.$ref ?? schema?.allOf?.[0]?.$ref
  if (!target) return schema
  return { ...schemas.all[target.split('/').at(-1) ?? ''], ...(schema?.description && { description: schema.description }) }
}

/** The keys above the end of the text, by how lines are indented. */
export function pathAt(before: string): string[] {
  const lines = before.split('\n')
  let least = indent(lines.pop() ?? '')
  const path: string[] = []
  for (const line of lines.reverse()) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const found = /^([\s-]*?)([\w./-]+):\s*$/.exec(line)
    const depth = found ? (found[1]?.length ?? 0) : indent(line)
    if (found && depth < least) {
      path.unshift(found[2] ?? '')
      least = depth
    } else if (depth < least) least = depth
    if (least === 0) break
  }
  return path
}

/** How deep the content of a line begins: dashes of a list count. */
const indent = (line: string) => /^[\s-]*/.exec(line)?.[0].length ?? 0

export function suggestions(schemas: Schemas, before: string): Suggestion[] {
  let at = resolve(schemas, schemas.root)
  for (const key of pathAt(before)) {
    const next = at?.properties?.[key] ?? (typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined)
    at = resolve(schemas, next)
    if (at?.items) at = resolve(schemas, at.items)
  }
  return Object.entries(at?.properties ?? {}).map(([name, schema]) => {
    const known = resolve(schemas, schema)
    return { name, type: known?.type ?? (known?.properties ? 'object' : ''), about: known?.description ?? '' }
  })
}

export interface Doubt {
  from: number
  to: number
  reason: 'unknownField' | 'wrongType'
  what: string
  /** As the description has it. */
  wanted: string
}

/** Fields that the description does not know, and values of another type than it has. */
export function doubts(schemas: Schemas, document: Document): Doubt[] {
  const found: Doubt[] = []
  judge(schemas, schemas.root, document.contents as Node | null, found)
  return found
}

function judge(schemas: Schemas, unresolved: Schema | undefined, node: Node | null, found: Doubt[]) {
  const schema = resolve(schemas, unresolved)
  if (!schema || !node) return
  const wanted = schema.properties ? 'object' : schema.type
  if (wanted && !isOf(wanted, node) && !schema['x-kubernetes-int-or-string'] && schema.format !== 'int-or-string') {
    found.push({ ...placeOf(node), reason: 'wrongType', what: isScalar(node) ? String(node.value) : '', wanted })
    return
  }
  if (isSeq(node)) for (const item of node.items) judge(schemas, schema.items, item as Node, found)
  if (!isMap(node)) return
  const open = schema['x-kubernetes-preserve-unknown-fields'] || schema.additionalProperties || !schema.properties
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : ''
    const below = schema.properties?.[name] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
    if (below) judge(schemas, below, value as Node | null, found)
    else if (!open && isScalar(key)) found.push({ ...placeOf(key), reason: 'unknownField', what: name, wanted: '' })
  }
}

const placeOf = (node: Node) => ({ from: node.range?.[0] ?? 0, to: node.range?.[1] ?? 0 })

function isOf(type: string, node: Node): boolean {
  // Nothing is what a field without a value has: the API leaves it out.
  if (isScalar(node) && node.value === null) return true
  if (type === 'object') return isMap(node)
  if (type === 'array') return isSeq(node)
  const value = isScalar(node) ? node.value : undefined
  if (type === 'integer') return Number.isInteger(value)
  return type === 'number' || type === 'string' || type === 'boolean' ? typeof value === type : true
}
