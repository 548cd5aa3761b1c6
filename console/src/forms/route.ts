// The wizard and the Edit routing rules dialog ↔ an Ingress.
//
// Invariant: a rule, a path or a tls entry that the form was read from keeps what the form does not know.
import type { Ingress, IngressBackend, IngressPath, IngressRule } from '../api/types'
import { canaryChanges, readSecond, type Change, type SecondForm } from './canary'
import { entryProblems, isShownAnnotation, readEntries, writeEntries, type Entry } from './entries'
import { difference, withEntry } from './patch'
import { CREATOR, isHost, isName, isPath, readNaming, writeNaming } from './names'

export const HOST_ANNOTATION = 'paifang.dev/host'
export const GENERATED_HOST = 'paifang.dev/generated-host'

export const PATH_TYPES = ['Prefix', 'Exact', 'ImplementationSpecific'] as const

export interface PathForm {
  path: string
  pathType: string
  service: string
  /** A number or a name. */
  port: string
  /** Another Service that gets some of the path's requests. */
  second?: SecondForm | undefined
  origin?: IngressPath
}

export interface RuleForm {
  mode: 'auto' | 'domain'
  host: string
  protocol: 'http' | 'https'
  secret: string
  paths: PathForm[]
  origin?: IngressRule
}

export interface RouteForm {
  name: string
  alias: string
  description: string
  rules: RuleForm[]
  annotations: Entry[]
  labels: Entry[]
}

export type RouteReason = 'required' | 'name' | 'taken' | 'host' | 'hostTwice' | 'path' | 'pathTwice' | 'noPaths' | 'noRules' | 'secret' | 'rows' | 'share' | 'sameService' | 'refused'
export interface RouteProblem {
  /** As in `rules.0.paths.1.service`. */
  field: string
  reason: RouteReason
  /** What the API said of it. */
  said?: string
}

export const emptyPath = (): PathForm => ({ path: '/', pathType: 'Prefix', service: '', port: '' })
export const emptyRule = (mode: RuleForm['mode']): RuleForm => ({ mode, host: '', protocol: 'http', secret: '', paths: [emptyPath()] })
export const emptyRoute = (mode: RuleForm['mode']): RouteForm => ({ name: '', alias: '', description: '', rules: [emptyRule(mode)], annotations: [], labels: [] })

/** `canaries` are those of its paths. */
export function readRoute(ingress: Ingress, canaries: readonly Ingress[] = []): RouteForm {
  const { metadata, spec } = ingress
  const auto = metadata.annotations?.[HOST_ANNOTATION] === 'auto'
  return {
    name: metadata.name,
    ...readNaming(ingress),
    rules: (spec.rules ?? []).map((rule) => readRule(rule, spec.tls ?? [], auto, canaries)),
    annotations: readEntries(metadata.annotations, isShownAnnotation),
    labels: readEntries(metadata.labels),
  }
}

function readRule(rule: IngressRule, tls: NonNullable<Ingress['spec']['tls']>, auto: boolean, canaries: readonly Ingress[]): RuleForm {
  const host = rule.host ?? ''
  const secured = tls.find((entry) => (host !== '' ? entry.hosts?.includes(host) : !entry.hosts?.length))
  return {
    mode: auto && host === '' ? 'auto' : 'domain',
    host,
    protocol: secured ? 'https' : 'http',
    secret: secured?.secretName ?? '',
    paths: (rule.http?.paths ?? []).map((path) => readPath(path, auto && host === '' ? undefined : readSecond(canaries, host, path))),
    origin: rule,
  }
}

function readPath(path: IngressPath, second: SecondForm | undefined): PathForm {
  const { service } = path.backend
  const port = service?.port.name ?? service?.port.number
  return { path: path.path ?? '', pathType: path.pathType, service: service?.name ?? '', port: port === undefined ? '' : String(port), ...(second && { second }), origin: path }
}

/** The object with the form's rules; its other parts stay. */
export function writeRules(onto: Ingress, rules: RuleForm[]): Ingress {
  const auto = rules.some((rule) => rule.mode === 'auto')
  const annotations = withEntry(onto.metadata.annotations, HOST_ANNOTATION, auto ? 'auto' : undefined)
  const spec = { ...onto.spec, rules: rules.map(writeRule), tls: writeTls(onto.spec.tls, rules, readRoute(onto).rules) }
  return { ...onto, metadata: { ...onto.metadata, annotations }, spec }
}

function writeRule(rule: RuleForm): IngressRule {
  const { host: _, ...kept } = rule.origin ?? {}
  return { ...(rule.mode === 'domain' && rule.host && { host: rule.host }), ...kept, http: { ...rule.origin?.http, paths: rule.paths.map(writePath) } }
}

function writePath({ path, pathType, service, port, origin }: PathForm): IngressPath {
  const { path: _, ...kept } = origin ?? {}
  return { ...(path && { path }), ...kept, pathType, backend: writeBackend(origin?.backend, service, port) }
}

export function writeBackend(origin: IngressBackend | undefined, name: string, port: string): IngressBackend {
  // A backend that is no Service is shown, not edited.
  if (origin?.resource && !name) return origin
  const { resource: _, ...kept } = origin ?? {}
  const before = kept.service
  const same = before && String(before.port.name ?? before.port.number ?? '') === port
  return { ...kept, service: { ...before, name, port: same ? before.port : /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } }
}

/** Entries of hosts that no rule has, now or before, stay; the others are as the rules say, one for each Secret. */
function writeTls(before: Ingress['spec']['tls'], rules: RuleForm[], earlier: RuleForm[]): Ingress['spec']['tls'] {
  const ruled = new Set([...rules, ...earlier].map((rule) => rule.host))
  const wanted = new Map(rules.filter((rule) => rule.protocol === 'https').map((rule) => [rule.mode === 'auto' ? '' : rule.host, rule.secret]))
  const renamed = new Map(rules.filter((rule) => rule.mode === 'domain' && rule.origin?.host).map((rule) => [rule.origin?.host, rule.host]))
  const done = new Set<string>()
  const entries = (before ?? []).flatMap((entry) => {
    const hosts = entry.hosts?.length ? entry.hosts.map((host) => renamed.get(host) ?? host) : ['']
    const kept = hosts.filter((host) => !ruled.has(host) || (wanted.has(host) && wanted.get(host) === (entry.secretName ?? '')))
    kept.forEach((host) => done.add(host))
    if (kept.length === 0) return []
    return [entry.hosts?.length ? { ...entry, hosts: kept } : { ...entry }]
  })
  for (const [host, secretName] of wanted) {
    if (done.has(host)) continue
    const beside = entries.find((entry) => host !== '' && entry.hosts?.length && entry.secretName === secretName)
    if (beside) beside.hosts = [...(beside.hosts ?? []), host]
    else entries.push({ ...(host && { hosts: [host] }), ...(secretName && { secretName }) })
  }
  return entries.length > 0 ? entries : undefined
}

export function writeInformation(onto: Ingress, form: Pick<RouteForm, 'alias' | 'description'>): Ingress {
  return writeNaming(onto, form)
}

export function writeMetadata(onto: Ingress, form: Pick<RouteForm, 'annotations' | 'labels'>): Ingress {
  const metadata = { ...onto.metadata, annotations: writeEntries(onto.metadata.annotations, form.annotations, isShownAnnotation), labels: writeEntries(undefined, form.labels) }
  return { ...onto, metadata }
}

/** What the wizard makes. */
export function newRoute(namespace: string, form: RouteForm): Ingress {
  const empty: Ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: form.name, namespace }, spec: {} }
  return JSON.parse(JSON.stringify(writeMetadata(writeInformation(writeRules(empty, form.rules), form), form))) as Ingress
}

/** The route and its canaries, as the wizard makes them. */
export function newObjects(namespace: string, form: RouteForm, taken: (name: string) => boolean, creator = ''): Ingress[] {
  const route = newRoute(namespace, form)
  const canaries = canaryChanges(route, null, [], form.rules, taken).flatMap((it) => (it.do === 'create' ? [it.object] : []))
  return [route, ...canaries].map((it) => (creator ? { ...it, metadata: { ...it.metadata, annotations: { ...it.metadata.annotations, [CREATOR]: creator } } } : it))
}

/** What an edit of the rules does to the route and its canaries. */
export function ruleChanges(route: Ingress, canaries: readonly Ingress[], rules: RuleForm[], taken: (name: string) => boolean): Change[] {
  const edited = writeRules(route, rules)
  const own: Change[] = difference(route, edited).length === 0 ? [] : [{ do: 'edit', read: route, edited }]
  return [...own, ...canaryChanges(edited, route, canaries, rules, taken)]
}

export function informationProblems(form: RouteForm, taken: (name: string) => boolean): RouteProblem[] {
  if (form.name === '') return [{ field: 'name', reason: 'required' }]
  if (!isName(form.name)) return [{ field: 'name', reason: 'name' }]
  return taken(form.name) ? [{ field: 'name', reason: 'taken' }] : []
}

export function ruleProblems(rules: RuleForm[]): RouteProblem[] {
  if (rules.length === 0) return [{ field: 'rules', reason: 'noRules' }]
  const hosts = rules.map((rule) => (rule.mode === 'auto' ? null : rule.host))
  return rules.flatMap((rule, index) => {
    const field = `rules.${index}`
    const problems = rule.paths.length === 0 ? [{ field: `${field}.paths`, reason: 'noPaths' as const }] : pathProblems(rule, field)
    if (rule.mode === 'domain') {
      if (rule.host && !isHost(rule.host)) problems.push({ field: `${field}.host`, reason: 'host' })
      else if (hosts.indexOf(rule.host) < index) problems.push({ field: `${field}.host`, reason: 'hostTwice' })
    }
    if (rule.protocol === 'https' && !rule.secret) problems.push({ field: `${field}.secret`, reason: 'secret' })
    return problems
  })
}

function pathProblems(rule: RuleForm, field: string): RouteProblem[] {
  const seen = new Set<string>()
  return rule.paths.flatMap((path, index) => {
    const at = `${field}.paths.${index}`
    const problems: RouteProblem[] = []
    const mark = `${path.pathType} ${path.path}`
    if (!(path.path === '' && path.pathType === 'ImplementationSpecific') && !isPath(path.path)) problems.push({ field: `${at}.path`, reason: 'path' })
    else if (seen.has(mark)) problems.push({ field: `${at}.path`, reason: 'pathTwice' })
    seen.add(mark)
    if (path.origin?.backend.resource && !path.service) return problems
    if (!path.service) problems.push({ field: `${at}.service`, reason: 'required' })
    if (!path.port) problems.push({ field: `${at}.port`, reason: 'required' })
    return rule.mode === 'auto' ? problems : [...problems, ...secondProblems(path, `${at}.second`)]
  })
}

function secondProblems({ service, port, second }: PathForm, at: string): RouteProblem[] {
  if (!second) return []
  const problems: RouteProblem[] = []
  if (!second.service) problems.push({ field: `${at}.service`, reason: 'required' })
  else if (second.service === service && second.port === port) problems.push({ field: `${at}.service`, reason: 'sameService' })
  if (!second.port) problems.push({ field: `${at}.port`, reason: 'required' })
  if (second.share === null || second.share < 0 || second.share > 100) problems.push({ field: `${at}.share`, reason: 'share' })
  return problems
}

const PLACES: [RegExp, string][] = [
  [/^metadata\.(?:annotations|labels)/, 'metadata'],
  [/^metadata\.name$/, 'name'],
  [/^spec\.rules\[(\d+)\]\.http\.paths\[(\d+)\]\.backend\.service\.port/, 'rules.$1.paths.$2.port'],
  [/^spec\.rules\[(\d+)\]\.http\.paths\[(\d+)\]\.backend/, 'rules.$1.paths.$2.service'],
  [/^spec\.rules\[(\d+)\]\.http\.paths\[(\d+)\]/, 'rules.$1.paths.$2.path'],
  [/^spec\.rules\[(\d+)\]/, 'rules.$1.host'],
]

/** A refusal of the API, at the fields of the form that it is about; what has no field there is left out. */
export function refusedFields(causes: readonly { field?: string; message?: string }[]): RouteProblem[] {
  return causes.flatMap(({ field = '', message }) => {
    const found = PLACES.find(([place]) => place.test(field))
    if (!found || !message) return []
    const at = (found[0].exec(field) ?? []).reduce<string>((text, part, index) => (index === 0 ? text : text.replace(`$${index}`, part)), found[1])
    return [{ field: at, reason: 'refused' as const, said: message }]
  })
}

export function metadataProblems({ annotations, labels }: Pick<RouteForm, 'annotations' | 'labels'>): RouteProblem[] {
  const problems: RouteProblem[] = []
  if (entryProblems(annotations, 'annotations').size > 0) problems.push({ field: 'annotations', reason: 'rows' })
  if (entryProblems(labels, 'labels').size > 0) problems.push({ field: 'labels', reason: 'rows' })
  return problems
}
