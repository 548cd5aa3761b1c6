// What is wrong with a route as far as the objects beside it say: shown in the list before anybody complains.
import type { Event, Ingress, Service } from '../../api/types'
import { isCanary, primaryOf } from '../../forms/canary'
import type { Speaking } from '../../words'
import { reasonName } from '../../words/conditions'
import type { Tell } from '../../words/messages'
import { addressesOf } from './address'

export interface RouteTrouble {
  reason: 'noService' | 'noPort' | 'noEndpoints' | 'noAddress' | 'warned'
  text: string
  /** Of a warning: what the API calls it. */
  code?: string
}

/** What there is beside the routes of a project; what may not be seen is left out. */
export interface Beside {
  services?: ReadonlyMap<string, Service> | undefined
  endpoints?: ReadonlyMap<string, { ready: number }> | undefined
  routes?: readonly Ingress[] | undefined
  warnings: ReadonlyMap<string, Event[]>
  /** What the API says now of those that were doubtful, by their uid. */
  judged?: ReadonlyMap<string, string[]> | undefined
}

export interface Telling extends Pick<Speaking, 't' | 'language'> {
  /** What the API says, in the language that was chosen. */
  said: Tell
}

/** What the API warns of has the reason's name before it where there are no words of this language for it. */
export function tell({ reason, text, code = '' }: RouteTrouble, { t, language, said }: Telling): string {
  if (reason !== 'warned') return t(`trouble.${reason}`, { what: text })
  const [what, name] = [said(text), reasonName(code, language)]
  return what === text && name ? t('trouble.said', { name, what }) : what
}

/** How long a gateway may take until it is asked about. */
const PATIENCE = 20_000

export function troubles(ingress: Ingress, beside: Beside, ours: boolean): RouteTrouble[] {
  const found = [...ofBackends(ingress, beside)]
  for (const event of beside.warnings.get(ingress.metadata.uid ?? '') ?? []) if (holds(event, ingress, beside)) found.push({ reason: 'warned', text: event.message ?? '', code: event.reason ?? '' })
  const age = Date.now() - Date.parse(ingress.metadata.creationTimestamp ?? '')
  if (ours && age > PATIENCE && addressesOf(ingress).length === 0) found.push({ reason: 'noAddress', text: '' })
  return found.filter((one, index) => found.findIndex((it) => it.reason === one.reason && it.text === one.text) === index)
}

function ofBackends({ spec }: Ingress, { services, endpoints }: Beside): RouteTrouble[] {
  const backends = [spec.defaultBackend, ...(spec.rules ?? []).flatMap((rule) => (rule.http?.paths ?? []).map((it) => it.backend))]
  return backends.flatMap((backend): RouteTrouble[] => {
    if (!backend?.service || !services) return []
    const { name, port } = backend.service
    const service = services.get(name)
    if (!service) return [{ reason: 'noService', text: name }]
    if (service.spec.type === 'ExternalName') return []
    if (!service.spec.ports?.some((it) => (port.name === undefined ? it.port === port.number : it.name === port.name))) return [{ reason: 'noPort', text: `${name}:${port.name ?? port.number}` }]
    return endpoints && (endpoints.get(name)?.ready ?? 0) === 0 ? [{ reason: 'noEndpoints', text: name }] : []
  })
}

/** What the objects themselves say better than an event that may be an hour old. */
const SEEN_OTHERWISE = ['ServiceNotFound', 'PortNotFound', 'BackendMissing']
/** What is wrong with a route by itself: the API says it again when it is asked. */
const ALONE = ['Malformed', 'InvalidHost', 'InvalidPath', 'InvalidRegex', 'InvalidValue', 'BacktrackingRegex', 'CaptureNotInPath', 'UnknownAnnotation', 'NotSupportedYet', 'GuardNotSupportedYet', 'AnnotationRefused', 'AnnotationRemoved', 'AnnotationIgnored', 'CanaryNotEnabled', 'Unsupported']

const annotationOf = (event: Event) => /^metadata\.annotations\[([^\]]+)\]/.exec(event.message ?? '')?.[1]
const saidAt = (event: Event) => Date.parse(event.lastTimestamp ?? event.eventTime ?? '') || 0

/** Whether what an event said is still so, as far as one can see: nobody takes an event back when it is mended. */
export function holds(event: Event, ingress: Ingress, { services, routes, judged }: Beside): boolean {
  const { reason = '', message = '' } = event
  if (services && SEEN_OTHERWISE.includes(reason)) return false
  if (reason === 'CanaryWithoutPrimary' && routes) return isCanary(ingress) && !primaryOf(ingress, routes)
  if (reason === 'HostPending') return addressesOf(ingress).length === 0
  const annotation = annotationOf(event)
  if (annotation && ingress.metadata.annotations?.[annotation] === undefined) return false
  if (!ALONE.includes(reason)) return namesOf(message).every((name) => JSON.stringify(ingress.spec).includes(`"${name}"`))
  const now = judged?.get(ingress.metadata.uid ?? '')
  return now ? now.some((it) => message.includes(it) || it.includes(message)) : lastWritten(ingress, annotation) <= saidAt(event)
}

/** As `holds`, of an event by itself: what the objects say better is told by them, and the event says the same. */
export function stands(event: Event, ingress: Ingress, beside: Beside): boolean {
  const { reason = '', message = '' } = event
  if (!beside.services || !SEEN_OTHERWISE.includes(reason)) return holds(event, ingress, beside)
  const found = ofBackends(ingress, beside)
  const of = (wanted: RouteTrouble['reason']) => found.some((it) => it.reason === wanted && message.includes(it.text.split(':')[0] ?? ''))
  if (reason === 'ServiceNotFound') return of('noService')
  return reason === 'PortNotFound' ? of('noPort') : lastWritten(ingress, undefined) <= saidAt(event)
}

/** The objects of its own project that a message names. */
const namesOf = (message: string) => [...message.matchAll(/(?:Secret|Service) `[^`/]+\/([^`]+)`/g)].map((found) => found[1] ?? '')

/** Routes that were written after a warning that may be mended by it: the API is to be asked. */
export const doubtful = (routes: readonly Ingress[], warnings: ReadonlyMap<string, Event[]>): Ingress[] =>
  routes.filter((it) => (warnings.get(it.metadata.uid ?? '') ?? []).some((event) => ALONE.includes(event.reason ?? '') && lastWritten(it, annotationOf(event)) > saidAt(event)))

interface Managed {
  time?: string
  subresource?: string
  fieldsV1?: { 'f:spec'?: unknown; 'f:metadata'?: { 'f:annotations'?: Record<string, unknown> } }
}

/** When whoever owns that annotation, or the spec, wrote last. */
function lastWritten(ingress: Ingress, annotation: string | undefined): number {
  const managed = (ingress.metadata as { managedFields?: Managed[] }).managedFields ?? []
  const owners = managed.filter(({ subresource, fieldsV1 }) => !subresource && (annotation ? fieldsV1?.['f:metadata']?.['f:annotations']?.[`f:${annotation}`] : fieldsV1?.['f:spec']) !== undefined)
  return Math.max(0, ...owners.map(({ time }) => Date.parse(time ?? '') || 0))
}

/** The warnings about each object, by its uid. */
export function warningsByObject(events: readonly Event[]): Map<string, Event[]> {
  const by = new Map<string, Event[]>()
  for (const event of events) {
    const uid = event.involvedObject?.uid
    if (event.type !== 'Warning' || !uid) continue
    const before = by.get(uid)
    if (before) before.push(event)
    else by.set(uid, [event])
  }
  return by
}
