// A path's second Service ↔ a canary Ingress beside the route's own, as ingress-nginx knows it: the same host, path and type, and a weight.
//
// Invariant: of a canary that was there, what the form does not know stays: paths of other routes, its further rules, its metadata.
import type { Ingress, IngressPath, IngressRule } from '../api/types'
import { isShownAnnotation } from './entries'
import { difference } from './patch'
import { writeBackend, type PathForm, type RuleForm } from './route'

export const CANARY = 'nginx.ingress.kubernetes.io/canary'
const WEIGHT = `${CANARY}-weight`
const TOTAL = `${CANARY}-weight-total`
const CLASS = 'kubernetes.io/ingress.class'
/** By whom, not by how many. */
const BY = [`${CANARY}-by-header`, `${CANARY}-by-cookie`]

export interface SecondForm {
  service: string
  port: string
  /** Of a hundred requests; `null` while nothing is written there. */
  share: number | null
  /** Who goes there whatever the share: headers and cookies. */
  also: string[]
  origin?: Origin
}

interface Origin {
  canary: string
  rule: number
  path: number
}

/** What an edit does, object by object. */
export type Change = { do: 'create'; object: Ingress } | { do: 'edit'; read: Ingress; edited: Ingress } | { do: 'delete'; read: Ingress }

export const emptySecond = (): SecondForm => ({ service: '', port: '', share: 10, also: [] })

const said = (ingress: Ingress, key: string) => ingress.metadata.annotations?.[key]?.trim() ?? ''
const number = (text: string, otherwise: number) => (/^\d+$/.test(text) ? Number(text) : otherwise)
const totalOf = (canary: Ingress) => Math.max(100, number(said(canary, TOTAL), 100))
const classOf = (ingress: Ingress) => ingress.spec.ingressClassName ?? said(ingress, CLASS)

export const isCanary = (ingress: Ingress) => /^(1|t|true)$/i.test(said(ingress, CANARY))

/** Of a hundred requests. */
export const shareOf = (canary: Ingress) => (Math.min(totalOf(canary), number(said(canary, WEIGHT), 0)) * 100) / totalOf(canary)

/** A path as it is told from others; `Prefix` and `ImplementationSpecific` are one. */
const markOf = (host: string, path: string, pathType: string) => `${host} ${pathType === 'Exact' ? '=' : ''}${path || '/'}`

const places = (ingress: Ingress) => (ingress.spec.rules ?? []).flatMap((rule, index) => (rule.http?.paths ?? []).map((it, path) => ({ rule: index, path, it, mark: markOf(rule.host ?? '', it.path ?? '', it.pathType) })))

const byAge = (a: Ingress, b: Ingress) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || b.metadata.name.localeCompare(a.metadata.name)

/** The canaries of a route's paths, the oldest first: it is the one that counts. */
export function canariesOf(route: Ingress, all: readonly Ingress[]): Ingress[] {
  if (isCanary(route)) return []
  const own = new Set(places(route).map((it) => it.mark))
  return all.filter((it) => isCanary(it) && it.metadata.namespace === route.metadata.namespace && classOf(it) === classOf(route) && places(it).some(({ mark }) => own.has(mark))).sort(byAge)
}

/** The route whose second Service a canary is. */
export const primaryOf = (canary: Ingress, all: readonly Ingress[]): Ingress | undefined => (isCanary(canary) ? all.find((it) => canariesOf(it, [canary]).length > 0) : undefined)

/** Canaries that are about this route's paths alone: they go with it. */
export function goWith(route: Ingress, canaries: readonly Ingress[]): Ingress[] {
  const own = new Set(places(route).map((it) => it.mark))
  return canaries.filter((it) => !it.spec.defaultBackend && places(it).every(({ mark }) => own.has(mark)))
}

export function readSecond(canaries: readonly Ingress[], host: string, path: Pick<IngressPath, 'path' | 'pathType'>): SecondForm | undefined {
  const mark = markOf(host, path.path ?? '', path.pathType)
  for (const canary of canaries) {
    const found = places(canary).find((it) => it.mark === mark)
    if (!found) continue
    const { service } = found.it.backend
    const also = BY.map((key) => said(canary, key)).filter(Boolean)
    return { service: service?.name ?? '', port: String(service?.port.name ?? service?.port.number ?? ''), share: shareOf(canary), also, origin: { canary: canary.metadata.name, rule: found.rule, path: found.path } }
  }
  return undefined
}

interface Wanted extends Omit<SecondForm, 'share'> {
  share: number
  host: string
  path: string
  pathType: string
}

const wantedOf = (rules: RuleForm[]): Wanted[] =>
  rules.flatMap((rule) => (rule.mode === 'auto' ? [] : rule.paths.flatMap(({ second, path, pathType }: PathForm) => (second ? [{ ...second, share: second.share ?? 0, host: rule.host, path, pathType }] : []))))

/** What is done to canaries so that they are as the form says. `before` is the route as it was read. */
export function canaryChanges(route: Ingress, before: Ingress | null, canaries: readonly Ingress[], rules: RuleForm[], taken: (name: string) => boolean): Change[] {
  const own = new Set((before ? places(before) : []).map((it) => it.mark))
  const loose = wantedOf(rules).filter((it) => !canaries.some((canary) => canary.metadata.name === it.origin?.canary))
  const drafts = canaries.map((read) => {
    const wanted = wantedOf(rules).filter((it) => it.origin?.canary === read.metadata.name)
    const shared = read.spec.defaultBackend !== undefined || places(read).some(({ mark }) => !own.has(mark))
    const share = shared ? shareOf(read) : (wanted[0]?.share ?? shareOf(read))
    loose.push(...wanted.filter((it) => it.share !== share))
    return { read, edited: withShare(withPaths(read, own, wanted.filter((it) => it.share === share)), share), share, plain: !shared && BY.every((key) => !said(read, key)) }
  })
  const made: { object: Ingress; share: number; of: string | undefined }[] = []
  for (const wanted of loose) {
    const draft = drafts.find((it) => it.plain && it.share === wanted.share && it.edited)
    const fresh = made.find((it) => it.share === wanted.share && it.of === wanted.origin?.canary)
    if (draft?.edited && !wanted.origin) draft.edited = added(draft.edited, wanted)
    else if (fresh) fresh.object = added(fresh.object, wanted)
    else {
      const name = freeName(route.metadata.name, (it) => taken(it) || canaries.some((one) => one.metadata.name === it) || made.some((one) => one.object.metadata.name === it))
      const like = canaries.find((it) => it.metadata.name === wanted.origin?.canary)
      made.push({ object: added(newCanary(route, name, wanted.share, like), wanted), share: wanted.share, of: wanted.origin?.canary })
    }
  }
  const kept = drafts.map(({ read, edited }): Change => (edited ? { do: 'edit', read, edited } : { do: 'delete', read }))
  return [...kept.filter((it) => it.do === 'delete' || !same(it)), ...made.map(({ object }): Change => ({ do: 'create', object }))]
}

const same = (it: Change) => it.do === 'edit' && difference(it.read, it.edited).length === 0

/** The canary with the wanted paths in the place of those of the route that was read; `null` when none is left. */
function withPaths(canary: Ingress, own: ReadonlySet<string>, wanted: Wanted[]): Ingress | null {
  const rules = (canary.spec.rules ?? []).flatMap((rule, index): IngressRule[] => {
    const moved: IngressRule[] = []
    const paths = (rule.http?.paths ?? []).flatMap((it, at): IngressPath[] => {
      const now = wanted.find(({ origin }) => origin?.rule === index && origin.path === at)
      if (!now) return own.has(markOf(rule.host ?? '', it.path ?? '', it.pathType)) ? [] : [it]
      const path = writePath(now, it)
      if (now.host === (rule.host ?? '')) return [path]
      moved.push({ ...rule, ...hosted(now.host), http: { ...rule.http, paths: [path] } })
      return []
    })
    const own_ = paths.length > 0 || !rule.http ? [rule.http ? { ...rule, http: { ...rule.http, paths } } : rule] : []
    return [...own_, ...joined(moved)]
  })
  if (rules.length === 0 && !canary.spec.defaultBackend) return null
  return { ...canary, spec: { ...canary.spec, rules } }
}

const hosted = (host: string): Pick<IngressRule, 'host'> => (host ? { host } : {})

/** Rules of one host are one. */
const joined = (rules: IngressRule[]) => rules.reduce<IngressRule[]>((all, rule) => {
  const beside = all.find((it) => it.host === rule.host)
  if (!beside) return [...all, rule]
  return all.map((it) => (it === beside ? { ...it, http: { ...it.http, paths: [...(it.http?.paths ?? []), ...(rule.http?.paths ?? [])] } } : it))
}, [])

function withShare(canary: Ingress | null, share: number): Ingress | null {
  if (!canary || shareOf(canary) === share) return canary
  const annotations = { ...canary.metadata.annotations, [WEIGHT]: String(Math.round((share * totalOf(canary)) / 100)) }
  return { ...canary, metadata: { ...canary.metadata, annotations } }
}

const added = (canary: Ingress, wanted: Wanted): Ingress => ({ ...canary, spec: { ...canary.spec, rules: joined([...(canary.spec.rules ?? []), { ...hosted(wanted.host), http: { paths: [writePath(wanted)] } }]) } })

const writePath = ({ path, pathType, service, port }: Wanted, origin?: IngressPath): IngressPath => {
  const { path: _, ...kept } = origin ?? {}
  return { ...kept, ...(path && { path }), pathType, backend: writeBackend(origin?.backend, service, port) }
}

function newCanary(route: Ingress, name: string, share: number, like?: Ingress): Ingress {
  const copied = Object.fromEntries(Object.entries(like?.metadata.annotations ?? {}).filter(([key]) => isShownAnnotation(key) && key !== TOTAL))
  const classed = said(route, CLASS)
  const annotations = { ...(classed && { [CLASS]: classed }), ...copied, [CANARY]: 'true', [WEIGHT]: String(Math.round(share)) }
  const { ingressClassName } = route.spec
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, ...(route.metadata.namespace && { namespace: route.metadata.namespace }), annotations }, spec: { ...(ingressClassName && { ingressClassName }) } }
}

function freeName(route: string, taken: (name: string) => boolean): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? `${route}-canary` : `${route}-canary-${n}`
    if (!taken(name)) return name
  }
}
