// How each domain and path of an HTTPRoute, a TLSRoute or a VirtualService is reached: the rows of `paifang get access`.
import type { Loose } from '../../api/types'
import { readBackends } from '../../forms/backends'
import { GENERATED_HOST } from '../../forms/route'
import type { Way } from '../routes/address'
import { portOf, visitUrl } from '../gateways/state'
import { list, strings, text, type Any } from './loose'
import { EVERY, placesOf, serversOf, type Beside, type Place, type Said } from './parents'

/** The gateway of calls between workloads, which nobody reaches from outside. */
const MESH = 'mesh'

interface Path {
  path: string
  pathType: 'Prefix' | 'Exact' | 'RegularExpression' | ''
  backend: string
}

export interface OtherWay extends Way {
  said?: Said
}

/** The Gateways that an object names, as `NAMESPACE/NAME`. */
export function parentsOf({ kind, metadata, spec }: Loose): string[] {
  const home = metadata.namespace ?? ''
  const named = kind === 'VirtualService' ? strings(spec?.gateways).filter((it) => it !== MESH).map((it) => (it.includes('/') ? it : `${home}/${it}`)) : list(spec?.parentRefs).filter((it) => it.kind === undefined || it.kind === 'Gateway').map((it) => `${text(it.namespace) || home}/${text(it.name)}`)
  return [...new Set(named)]
}

export function waysOf(object: Loose, beside: Beside): OtherWay[] {
  const found = object.kind === 'VirtualService' ? ofVirtualService(object, beside) : ofRoute(object, beside)
  const mark = ({ reach, gateway }: OtherWay) => JSON.stringify([reach.host, reach.path, reach.pathType, gateway?.namespace, gateway?.name, gateway?.ports])
  return [...new Map(found.map((it) => [mark(it), it])).values()]
}

function ofRoute(route: Loose, beside: Beside): OtherWay[] {
  const made = (route.metadata.annotations?.[GENERATED_HOST] ?? '').split(/[\s,]+/).filter(Boolean)
  const written = strings(route.spec?.hostnames)
  const hosts = written.length > 0 ? written : made.length > 0 ? made : [EVERY]
  const paths = route.kind === 'TLSRoute' ? passedOn(route) : matched(route)
  return list(route.spec?.parentRefs).flatMap((parent) => placesOf(route.kind, route, parent, hosts, beside).flatMap((place) => paths.map((it) => ({ ...wayOf(place, it), isGatewayApi: true }))))
}

const backendsOf = (rule: Any) => list(rule.backendRefs).map((it) => `${text(it.name)}${it.port === undefined ? '' : `:${text(it.port)}`}`).join(', ')
const passedOn = ({ spec }: Loose): Path[] => [{ path: '', pathType: '', backend: list(spec?.rules).map(backendsOf).join(', ') }]

const matched = ({ spec }: Loose): Path[] =>
  list(spec?.rules).flatMap((rule) => {
    const matches = list(rule.matches)
    const backend = backendsOf(rule)
    return (matches.length > 0 ? matches : [{}]).map((match: Any): Path => {
      const { type, value } = (match.path ?? {}) as { type?: string; value?: string }
      return { path: value || '/', pathType: type === 'Exact' || type === 'RegularExpression' ? type : 'Prefix', backend }
    })
  })

const FORMS = { exact: 'Exact', prefix: 'Prefix', regex: 'RegularExpression' } as const

function ofVirtualService(service: Loose, beside: Beside): OtherWay[] {
  const { rules } = readBackends('VirtualService', service)
  const backend = (index: number) => (rules[index]?.backends ?? []).map((it) => `${it.name}${it.port && `:${it.port}`}`).join(', ')
  const ofHttp = list(service.spec?.http).flatMap((route, index) => {
    const matches = list(route.match)
    return (matches.length > 0 ? matches : [{}]).map((match: Any): Path => {
      const uri = (match.uri ?? {}) as Record<string, string>
      const form = (['exact', 'prefix', 'regex'] as const).find((it) => uri[it] !== undefined)
      return { path: (form && uri[form]) ?? '/', pathType: form ? FORMS[form] : 'Prefix', backend: backend(index) }
    })
  })
  const ofTls = list(service.spec?.tls).map((): Path => ({ path: '', pathType: '', backend: '' }))
  const hosts = strings(service.spec?.hosts).map((it) => it.toLowerCase())
  return parentsOf(service).flatMap((at) => hosts.flatMap((host) => [...ofHttp, ...ofTls].map((it) => wayOf(serversOf(at, host, beside), it))))
}

/** A path that the route's path lets through: of an expression, what stands before its first sign. */
function visited({ path, pathType }: Path): string {
  if (pathType !== 'RegularExpression') return path.startsWith('/') ? path : '/'
  const literal = path.split(/[([*?+^$\\|.{]/)[0] ?? ''
  return literal.slice(0, literal.lastIndexOf('/') + 1) || '/'
}

function wayOf({ host, protocol, secret, gateway, note }: Place, path: Path): OtherWay {
  const address = gateway?.addresses[0]
  const isPattern = host.startsWith('*') && host !== EVERY
  const name = host === EVERY ? (address ?? '') : host
  const url = gateway && address && portOf(gateway, protocol) && !isPattern && name ? visitUrl(gateway, protocol, name, visited(path)) : ''
  const [service = '', port = ''] = path.backend.split(':')
  const shown = host === EVERY ? '' : host
  return { reach: { host: shown, path: path.path, pathType: path.pathType, written: shown, protocol, secret, service, port, url }, gateway, fallback: '', ...(note && { said: note }) }
}
