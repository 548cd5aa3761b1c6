// The rules of an HTTPRoute or a VirtualService ↔ rows of Services with weights, and their hosts.
//
// Invariant: a rule or a backend that the form was read from keeps what the form does not know: matches, filters, subsets, other kinds.
import type { Loose } from '../api/types'
import { isHost } from './names'

type Any = Record<string, unknown>

export interface BackendForm {
  name: string
  port: string
  /** `null`: none is written, and all get as much. */
  weight: number | null
  /** What else it says of where it leads, as a subset. */
  note: string
  origin?: Any
}

export interface BackendRule {
  /** Which requests it is about. */
  about: string
  backends: BackendForm[]
}

export interface BackendsForm {
  hosts: string[]
  rules: BackendRule[]
}

export type BackendReason = 'required' | 'port' | 'weight' | 'weights' | 'host'
export interface BackendProblem {
  /** As in `rules.0.backends.1.weight`. */
  field: string
  reason: BackendReason
}

interface Shape {
  hosts: string
  rules: string
  backends: string
  about: (rule: Any) => string
  read: (backend: Any) => BackendForm
  write: (form: BackendForm) => Any
}

const list = (it: unknown): Any[] => (Array.isArray(it) ? (it as Any[]) : [])
const object = (it: unknown): Any => (typeof it === 'object' && it !== null ? (it as Any) : {})
const text = (it: unknown) => (it === undefined || it === null ? '' : String(it))
const weight = (it: unknown) => (typeof it === 'number' ? it : null)
const weighed = (form: BackendForm) => (form.weight === null ? {} : { weight: form.weight })
const numbered = (port: string) => (/^\d+$/.test(port) ? Number(port) : undefined)

const httpRoute: Shape = {
  hosts: 'hostnames',
  rules: 'rules',
  backends: 'backendRefs',
  about: (rule) => list(rule.matches).map((match) => [text(match.method), text(object(match.path).value), ...list(match.headers).map((it) => `${text(it.name)}: ${text(it.value)}`)].filter(Boolean).join(' ')).join(' | '),
  read: (it) => ({ name: text(it.name), port: text(it.port), weight: weight(it.weight), note: [it.kind !== 'Service' && text(it.kind), text(it.namespace)].filter(Boolean).join(' '), origin: it }),
  write: ({ origin, ...form }) => {
    const { weight: _, port: __, ...kept } = origin ?? {}
    const port = numbered(form.port)
    return { ...kept, name: form.name, ...(port !== undefined && { port }), ...weighed(form) }
  },
}

const virtualService: Shape = {
  hosts: 'hosts',
  rules: 'http',
  backends: 'route',
  about: (rule) => list(rule.match).map((match) => Object.entries(object(match.uri)).map(([how, what]) => `${how} ${text(what)}`).concat(Object.keys(object(match.headers))).join(' ')).join(' | '),
  read: (it) => {
    const to = object(it.destination)
    return { name: text(to.host), port: text(object(to.port).number), weight: weight(it.weight), note: text(to.subset), origin: it }
  },
  write: ({ origin, ...form }) => {
    const { weight: _, ...kept } = origin ?? {}
    const { port: __, ...to } = object(origin?.destination)
    const port = numbered(form.port)
    return { ...kept, destination: { ...to, host: form.name, ...(port !== undefined && { port: { number: port } }) }, ...weighed(form) }
  },
}

const SHAPES: Record<string, Shape> = { HTTPRoute: httpRoute, TLSRoute: { ...httpRoute, about: () => '' }, VirtualService: virtualService }

export const hasBackends = ({ kind }: { kind: string }) => kind in SHAPES
export const emptyBackend = (): BackendForm => ({ name: '', port: '', weight: 1, note: '' })

export function readBackends(kind: string, { spec = {} }: Loose): BackendsForm {
  const shape = SHAPES[kind]
  if (!shape) return { hosts: [], rules: [] }
  const hosts = spec[shape.hosts]
  return {
    hosts: Array.isArray(hosts) ? hosts.map(String) : [],
    rules: list(spec[shape.rules]).map((rule) => ({ about: shape.about(rule), backends: list(rule[shape.backends]).map(shape.read) })),
  }
}

/** The object with the form's hosts and backends; rules without any keep having none. */
export function writeBackends(kind: string, onto: Loose, form: BackendsForm): Loose {
  const shape = SHAPES[kind]
  if (!shape) return onto
  const spec = onto.spec ?? {}
  const rules = list(spec[shape.rules]).map((rule, index) => {
    const { [shape.backends]: before, ...kept } = rule
    const backends = form.rules[index]?.backends.map(shape.write) ?? []
    return backends.length > 0 ? { ...kept, [shape.backends]: backends } : Array.isArray(before) && before.length === 0 ? rule : kept
  })
  return { ...onto, spec: { ...spec, [shape.hosts]: form.hosts.length > 0 ? form.hosts : undefined, ...(shape.rules in spec && { [shape.rules]: rules }) } }
}

export function backendProblems(form: BackendsForm): BackendProblem[] {
  const hosts = form.hosts.some((host) => host !== '*' && !isHost(host)) ? [{ field: 'hosts', reason: 'host' as const }] : []
  return [...hosts, ...form.rules.flatMap(({ backends }, rule) => ofRule(backends, `rules.${rule}`))]
}

function ofRule(backends: BackendForm[], field: string): BackendProblem[] {
  const problems = backends.flatMap(({ name, port, weight: share }, index): BackendProblem[] => {
    const at = `${field}.backends.${index}`
    return [
      ...(name === '' ? [{ field: `${at}.name`, reason: 'required' as const }] : []),
      ...(port !== '' && !(Number(port) >= 1 && Number(port) <= 65_535) ? [{ field: `${at}.port`, reason: 'port' as const }] : []),
      ...(share !== null && (share < 0 || !Number.isInteger(share)) ? [{ field: `${at}.weight`, reason: 'weight' as const }] : []),
    ]
  })
  const none = backends.length > 1 && backends.every((it) => it.weight === 0)
  return none ? [...problems, { field: `${field}.backends`, reason: 'weights' }] : problems
}

/** Whether it is no Service of this project: somebody else's, of another kind, or a host outside. */
export function isForeign({ name, origin }: BackendForm, project: string): boolean {
  const [, namespace] = name.split('.')
  const said = origin?.namespace
  return (namespace !== undefined && namespace !== project) || (typeof said === 'string' && said !== project) || (typeof origin?.kind === 'string' && origin.kind !== 'Service')
}

/** Of a hundred requests. */
export function shares(backends: BackendForm[]): number[] {
  const weights = backends.map((it) => it.weight ?? 1)
  const all = weights.reduce((sum, one) => sum + one, 0)
  return weights.map((one) => (all > 0 ? Math.round((one * 1000) / all) / 10 : 0))
}
