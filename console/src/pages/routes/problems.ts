// What is wrong with a route as far as the objects beside it say: shown in the list before anybody complains.
import type { Event, Ingress, Service } from '../../api/types'
import { addressesOf } from './address'

export interface RouteTrouble {
  reason: 'noService' | 'noPort' | 'noAddress' | 'warned'
  text: string
}

export function troubles(ingress: Ingress, services: ReadonlyMap<string, Service> | null, warnings: ReadonlyMap<string, Event[]>, ours: boolean): RouteTrouble[] {
  const found: RouteTrouble[] = []
  const backends = [ingress.spec.defaultBackend, ...(ingress.spec.rules ?? []).flatMap((rule) => (rule.http?.paths ?? []).map((it) => it.backend))]
  for (const backend of backends) {
    if (!backend?.service || !services) continue
    const { name, port } = backend.service
    const service = services.get(name)
    const shown = port.name ?? port.number
    if (!service) found.push({ reason: 'noService', text: name })
    else if (service.spec.type !== 'ExternalName' && !service.spec.ports?.some((it) => it.name === port.name || it.port === port.number)) found.push({ reason: 'noPort', text: `${name}:${shown}` })
  }
  for (const event of warnings.get(ingress.metadata.uid ?? '') ?? []) found.push({ reason: 'warned', text: event.message ?? event.reason ?? '' })
  const age = Date.now() - Date.parse(ingress.metadata.creationTimestamp ?? '')
  if (ours && age > 20_000 && addressesOf(ingress).length === 0) found.push({ reason: 'noAddress', text: '' })
  return found.filter((one, index) => found.findIndex((it) => it.reason === one.reason && it.text === one.text) === index)
}

/** Warnings about each route that were said since it was last changed. */
export function warningsByObject(events: readonly Event[]): Map<string, Event[]> {
  const by = new Map<string, Event[]>()
  for (const event of events) {
    const uid = event.involvedObject?.uid
    if (event.type === 'Warning' && uid) by.set(uid, [...(by.get(uid) ?? []), event])
  }
  return by
}
