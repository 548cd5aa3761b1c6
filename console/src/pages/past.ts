// Which Warnings of a project, or of all, are over: those whose objects are gone, or do not say it any longer.
import { useMemo } from 'react'
import { KINDS, type Kind } from '../api/kinds'
import { useLive } from '../api/live'
import { useRights } from '../api/rights'
import type { Event, Ingress, Obj, Service } from '../api/types'
import { isPast } from '../parts/past'
import { useJudged } from './routes/judged'
import { stands, warningsByObject } from './routes/problems'

/** The kinds that Warnings are about, and the Secrets that they name. */
const WATCHED = [KINDS.ingress, KINDS.service, KINDS.ingressGateway, KINDS.httpRoute, KINDS.tlsRoute, KINDS.gateway, KINDS.virtualService, KINDS.istioGateway] as const
const TLS = { fieldSelector: 'type=kubernetes.io/tls' }

const isOf = ({ kind, group }: Kind, { involvedObject: it }: Event) => it?.kind === kind && (it.apiVersion === undefined || group === '' || it.apiVersion.startsWith(`${group}/`))
const keyOf = (kind: string, namespace: string | undefined, name: string | undefined) => `${kind} ${namespace ?? ''}/${name ?? ''}`

interface Seen {
  kind: Kind
  objects: readonly Obj[]
  /** Whether these are all. */
  whole: boolean
}

/** `namespace` is empty for all. */
export function usePast(events: readonly Event[], namespace: string): (event: Event) => boolean {
  const rights = useRights(namespace)
  const warnings = useMemo(() => events.filter((it) => it.type === 'Warning'), [events])
  const may = (kind: Kind) => (namespace ? rights.can('list', kind) : true)
  const named = (text: RegExp) => warnings.some((it) => text.test(it.message ?? ''))
  const about = (kind: Kind) => warnings.some((it) => isOf(kind, it))
  const see = (kind: Kind, wanted: boolean) => (wanted && may(kind) ? namespace : undefined)
  const seen = WATCHED.map((kind): Seen => {
    // A route's Services and a parent that was not there are looked at, too.
    const wanted = about(kind) || (kind === KINDS.service && about(KINDS.ingress)) || named(new RegExp(`\\b${kind.kind} \`[^\`]+\` does not exist`))
    const live = useLive<Obj>(kind, see(kind, wanted))
    return { kind, objects: live.objects, whole: wanted && may(kind) && !live.loading && !live.error }
  })
  const secrets = useLive<Obj>(KINDS.secret, see(KINDS.secret, named(/\bSecret `/)), TLS)
  const routes = (seen[0]?.objects ?? []) as readonly Ingress[]
  const judged = useJudged(routes, warnings, namespace ? rights.can('patch', KINDS.ingress) : true)
  const state = [...seen.flatMap((it) => [it.objects, it.whole]), secrets.objects, judged, warnings]
  return useMemo(() => judge(seen, secrets.objects, judged, warnings), state)
}

function judge(seen: Seen[], secrets: readonly Obj[], judged: ReadonlyMap<string, string[]>, events: readonly Event[]) {
  const known = seen.filter((it) => it.whole)
  const byUid = new Map(known.flatMap(({ objects }) => objects.map((it) => [it.metadata.uid ?? '', it] as const)))
  const there = new Set([...known.flatMap(({ kind, objects }) => objects.map((it) => keyOf(kind.kind, it.metadata.namespace, it.metadata.name))), ...secrets.map((it) => keyOf('Secret', it.metadata.namespace, it.metadata.name))])
  const [routes, services] = [known.find((it) => it.kind === KINDS.ingress)?.objects as readonly Ingress[] | undefined, known.find((it) => it.kind === KINDS.service)?.objects as readonly Service[] | undefined]
  const warnings = warningsByObject(events)
  const inNamespace = <T extends Obj>(all: readonly T[] | undefined, it: Obj) => all?.filter((one) => one.metadata.namespace === it.metadata.namespace)
  const beside = (it: Ingress) => ({ services: services && new Map((inNamespace(services, it) ?? []).map((one) => [one.metadata.name, one])), routes: inNamespace(routes, it), warnings, judged })
  return (event: Event): boolean => {
    if (event.type !== 'Warning') return false
    const { uid = '' } = event.involvedObject ?? {}
    const object = byUid.get(uid)
    if (!object) return uid !== '' && known.some(({ kind }) => isOf(kind, event))
    const [, kind = '', at] = /\b(\w+) `([^`]+)` does not exist/.exec(event.message ?? '') ?? []
    if (at !== undefined && there.has(`${kind} ${at}`)) return true
    return event.involvedObject?.kind === 'Ingress' ? !stands(event, object as Ingress, beside(object as Ingress)) : isPast(event, object)
  }
}
