// External access and static endpoints ↔ a Service's type, ports and annotations.
import type { Service } from '../api/types'
import { isShownAnnotation, readEntries, writeEntries, type Entry } from './entries'
import { CREATOR, isName, writeNaming, type Naming } from './names'
import { withEntry } from './patch'

/** Where what has no Pods listens: one machine of the network, or several. */
export const ENDPOINTS = 'paifang.dev/endpoints'

export interface ExternalForm {
  type: 'ClusterIP' | 'NodePort' | 'LoadBalancer'
  annotations: Entry[]
}

const isRow = (key: string) => isShownAnnotation(key) && key !== ENDPOINTS

export function readExternal({ spec, metadata }: Service): ExternalForm {
  const type = spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? spec.type : 'ClusterIP'
  return { type, annotations: readEntries(metadata.annotations, isRow) }
}

export function writeExternal(onto: Service, form: ExternalForm): Service {
  const annotations = form.type === 'LoadBalancer' ? writeEntries(onto.metadata.annotations, form.annotations, isRow) : onto.metadata.annotations
  // Whoever has no type is reached from inside alone already.
  const type = form.type === (onto.spec.type ?? 'ClusterIP') ? onto.spec.type : form.type
  return { ...onto, metadata: { ...onto.metadata, annotations } as Service['metadata'], spec: { ...onto.spec, ...(type && { type }) } }
}

export const readEndpoints = ({ metadata }: Service): string[] => (metadata.annotations?.[ENDPOINTS] ?? '').split(/[\s,]+/).filter(Boolean)

export const writeEndpoints = (onto: Service, endpoints: string[]): Service => ({ ...onto, metadata: { ...onto.metadata, annotations: withEntry(onto.metadata.annotations, ENDPOINTS, endpoints.join(', ')) } as Service['metadata'] })

/** What selects Pods has their addresses; what has another name has none. */
export const mayHaveEndpoints = ({ spec }: Service) => spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length === 0

const OCTET = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const V4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`)

/** `10.0.0.1:8080` or `[fd00::1]:8080`. */
export function isEndpoint(text: string): boolean {
  const found = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text)
  const port = Number(found?.[3])
  return found !== null && port >= 1 && port <= 65_535 && (found[1] ? found[1].includes(':') : V4.test(found[2] ?? ''))
}

export interface ServiceForm extends Naming {
  name: string
  ports: { name: string; port: number | null }[]
  endpoints: string[]
}

export const emptyService = (): ServiceForm => ({ name: '', alias: '', description: '', ports: [{ name: 'http', port: 80 }], endpoints: [] })

export type ServiceReason = 'required' | 'name' | 'taken' | 'port' | 'portTwice' | 'portName' | 'endpoint'
export interface ServiceProblem {
  field: string
  reason: ServiceReason
}

export const endpointProblems = (endpoints: string[]): ServiceProblem[] => (endpoints.every(isEndpoint) ? [] : [{ field: 'endpoints', reason: 'endpoint' }])

export function serviceProblems({ name, ports, endpoints }: ServiceForm, taken: (name: string) => boolean): ServiceProblem[] {
  const named: ServiceProblem[] = name === '' ? [{ field: 'name', reason: 'required' }] : !isName(name) || !/^[a-z]/.test(name) ? [{ field: 'name', reason: 'name' }] : taken(name) ? [{ field: 'name', reason: 'taken' }] : []
  const wrong = ports.flatMap((it, index): ServiceProblem[] => {
    const field = `ports.${index}`
    if (it.port === null || it.port < 1 || it.port > 65_535) return [{ field, reason: 'port' }]
    if (ports.findIndex((one) => one.port === it.port || (it.name !== '' && one.name === it.name)) < index) return [{ field, reason: 'portTwice' }]
    return (it.name === '' && ports.length > 1) || (it.name !== '' && !(isName(it.name) && it.name.length <= 15)) ? [{ field, reason: 'portName' }] : []
  })
  const told: ServiceProblem[] = endpoints.length === 0 ? [{ field: 'endpoints', reason: 'required' }] : endpointProblems(endpoints)
  return [...named, ...wrong, ...told]
}

/** A Service for what runs elsewhere. */
export function newService(namespace: string, creator: string, form: ServiceForm): Service {
  const ports = form.ports.map(({ name, port }) => ({ ...(name && { name }), port: port ?? 0 }))
  const empty: Service = { apiVersion: 'v1', kind: 'Service', metadata: { name: form.name, namespace, annotations: { [CREATOR]: creator } }, spec: { ports } }
  return writeEndpoints(writeNaming(empty, form), form.endpoints)
}
