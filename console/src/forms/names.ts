// What may be a name, a host, a path: as the API will judge it, said before it is asked.
import { withEntry } from './patch'
import type { Obj } from '../api/types'

export const ALIAS = 'kubesphere.io/alias-name'
export const DESCRIPTION = 'kubesphere.io/description'
export const CREATOR = 'kubesphere.io/creator'

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

export const isName = (text: string) => LABEL.test(text)
/** Of a route's host: `*.example.com` or a DNS name in small letters. */
export const isHost = (text: string) => text.length <= 253 && text.replace(/^\*\./, '').split('.').every((label) => LABEL.test(label)) && !/^[\d.]+$/.test(text)
export const isPath = (text: string) => text.startsWith('/') && !/\s/.test(text)

export const aliasOf = (object: Obj) => object.metadata.annotations?.[ALIAS] ?? ''
export const descriptionOf = (object: Obj) => object.metadata.annotations?.[DESCRIPTION] ?? ''

export interface Naming {
  alias: string
  description: string
}

export const readNaming = (object: Obj): Naming => ({ alias: aliasOf(object), description: descriptionOf(object) })

export function writeNaming<T extends Obj>(object: T, { alias, description }: Naming): T {
  const annotations = withEntry(withEntry(object.metadata.annotations, ALIAS, alias.trim()), DESCRIPTION, description.trim())
  return { ...object, metadata: { ...object.metadata, annotations } }
}
