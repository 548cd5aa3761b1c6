// Warnings stay until they expire, though what they told may be mended since: whether one still holds is judged by its object.
import type { Condition, Event, Obj } from '../api/types'
import { conditionTone } from './tones'

type Any = Record<string, unknown>
interface Managed {
  managedFields?: { time?: string }[]
}

const list = (it: unknown): Any[] => (Array.isArray(it) ? (it as Any[]) : [])
export const seenAt = (event: Event) => event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''
const time = (text: string | undefined) => Date.parse(text ?? '') || 0

/** All that is said of an object: of itself, and by its parents or of its listeners. */
function conditionsOf(object: Obj): Condition[] {
  const { status = {} } = object as { status?: Any }
  const nested = [...list(status.parents), ...list(status.listeners), ...list(status.ancestors)].flatMap((it) => list(it.conditions))
  return [...list(status.conditions), ...nested] as unknown as Condition[]
}

/** When anything of the object changed last. */
function lastChanged(object: Obj, conditions: Condition[]): number {
  const { managedFields = [] } = object.metadata as Managed
  return Math.max(0, ...managedFields.map((it) => time(it.time)), ...conditions.map((it) => time(it.lastTransitionTime)))
}

/** The annotation that a message is about, and what it says of its value. */
const ofAnnotation = (message: string) => {
  const [, key, value] = /^metadata\.annotations\[([^\]]+)\]: (?:`([^`]+)`)?/.exec(message) ?? []
  return key === undefined ? undefined : { key, value }
}

function isMendedAnnotation(message: string, { metadata }: Obj): boolean {
  const said = ofAnnotation(message)
  if (!said) return false
  const now = metadata.annotations?.[said.key]
  return now === undefined || (said.value !== undefined && !now.includes(said.value))
}

/** Whether a condition says what an event said: in the same words, without its field and hint, or by the same reason. */
const says = ({ reason, message = '', ...rest }: Condition, event: Event): boolean => {
  const told = (event.message ?? '').replace(/…$/, '')
  return (message !== '' && (message.includes(told) || told.includes(message))) || (reason === event.reason && conditionTone({ ...rest, reason, message } as Condition) === 'warn')
}

/** Of a Service, which has no conditions that say it. */
function isMendedService({ reason }: Event, object: Obj): boolean {
  const { spec = {}, status = {} } = object as { spec?: Any; status?: Any }
  const balanced = list((status.loadBalancer as Any | undefined)?.ingress).length > 0
  return reason === 'AddressPending' && (spec.type !== 'LoadBalancer' || balanced)
}

/** Whether what a Warning told of an object is over, as far as the object says. Others are never past. */
export function isPast(event: Event, object: Obj): boolean {
  if (event.type !== 'Warning') return false
  if (isMendedAnnotation(event.message ?? '', object)) return true
  if (object.kind === 'Service' || event.involvedObject?.kind === 'Service') return isMendedService(event, object)
  const conditions = conditionsOf(object)
  if (conditions.length === 0 || conditions.some((it) => says(it, event))) return false
  // While nothing has changed since, it may be what conditions do not tell.
  return lastChanged(object, conditions) > time(seenAt(event))
}

/** Those that stand first, the newest of each before the others. */
export const standingFirst = (events: readonly Event[], past: (event: Event) => boolean): Event[] => {
  const all = events.map((event) => ({ event, over: past(event) }))
  return all.sort((a, b) => Number(a.over) - Number(b.over) || seenAt(b.event).localeCompare(seenAt(a.event))).map(({ event }) => event)
}
