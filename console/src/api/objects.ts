// Writing objects. An edit is a JSON patch against the object as it was read, so that what a form does not know survives.
import { ApiError, ask } from './client'
import { apiVersion, listPath, objectPath, type Kind } from './kinds'
import type { Obj } from './types'
import { editPatch } from '../forms/patch'

const MANAGER = 'fieldManager=paifang-console'
/** Tried, and refused where a field is not known: what would be left out in silence is said. */
const STRICT = '&dryRun=All&fieldValidation=Strict'

export function create<T extends Obj>(kind: Kind, object: Omit<T, 'apiVersion' | 'kind'>, dryRun = false): Promise<T> {
  const namespace = object.metadata.namespace
  const body = { apiVersion: apiVersion(kind), kind: kind.kind, ...object }
  return ask<T>(`${listPath(kind, namespace)}?${MANAGER}${dryRun ? STRICT : ''}`, { method: 'POST', body })
}

/** Makes of `read` what `edited` is, unless somebody has changed it meanwhile. */
export async function edit<T extends Obj>(kind: Kind, read: T, edited: T, dryRun = false): Promise<T> {
  try {
    return await patch(kind, read, edited, dryRun)
  } catch (error) {
    if (!(error instanceof ApiError) || ![409, 422].includes(error.status)) throw error
    const now = await get<T>(kind, read.metadata.name, read.metadata.namespace)
    if (now.metadata.resourceVersion === read.metadata.resourceVersion) throw error
    if (wanted(now) !== wanted(read)) throw new ApiError(409, 'Conflict', error.message)
    // Its status has moved on, which is no concern of who edits.
    const { resourceVersion } = now.metadata
    return patch(kind, { ...read, metadata: { ...read.metadata, resourceVersion } } as T, { ...edited, metadata: { ...edited.metadata, resourceVersion } } as T, dryRun)
  }
}

function patch<T extends Obj>(kind: Kind, read: T, edited: T, dryRun: boolean): Promise<T> {
  const path = `${objectPath(kind, read.metadata.name, read.metadata.namespace)}?${MANAGER}${dryRun ? '&dryRun=All' : ''}`
  return ask<T>(path, { method: 'PATCH', body: editPatch(read, edited), contentType: 'application/json-patch+json' })
}

/** What people say of an object, without what controllers do. */
function wanted(object: Obj): string {
  const { resourceVersion: _, generation: __, managedFields: ___, ...metadata } = object.metadata as Obj['metadata'] & { managedFields?: unknown }
  const { status: ____, ...rest } = object as Obj & { status?: unknown }
  return JSON.stringify(normal({ ...rest, apiVersion: '', kind: '', metadata }))
}

/** With keys in one order. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, it]) => [key, normal(it)]))
}

export interface Trial {
  warnings: string[]
}

/** What the API says to an edit, or to a new object where nothing is read, without anything being saved; refusals are thrown. */
export async function attempt<T extends Obj>(kind: Kind, read: T | undefined, edited: Omit<T, 'apiVersion' | 'kind'>, signal: AbortSignal): Promise<Trial> {
  const warnings: string[] = []
  const { name, namespace } = edited.metadata
  const dry = `?${MANAGER}&dryRun=All`
  const heard = { signal, warned: (text: string) => void warnings.push(text) }
  if (read) await ask(objectPath(kind, name, namespace) + dry, { method: 'PATCH', body: editPatch(read, edited as T), contentType: 'application/json-patch+json', ...heard })
  else await ask(listPath(kind, namespace) + dry, { method: 'POST', body: { apiVersion: apiVersion(kind), kind: kind.kind, ...edited }, ...heard })
  return { warnings }
}

export function replace<T extends Obj>(kind: Kind, object: T, dryRun = false): Promise<T> {
  const { name, namespace } = object.metadata
  return ask<T>(`${objectPath(kind, name, namespace)}?${MANAGER}${dryRun ? STRICT : ''}`, { method: 'PUT', body: object })
}

export const get = <T extends Obj>(kind: Kind, name: string, namespace?: string) => ask<T>(objectPath(kind, name, namespace))

export const remove = (kind: Kind, name: string, namespace?: string) =>
  ask<unknown>(objectPath(kind, name, namespace), { method: 'DELETE', body: { propagationPolicy: 'Background' } })
