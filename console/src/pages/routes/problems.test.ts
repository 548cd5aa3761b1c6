import { describe, expect, it } from 'vitest'
import type { Event, Ingress, Service } from '../../api/types'
import { doubtful, stands, tell, troubles, warningsByObject, type Beside, type Telling } from './problems'

const route = (name = 'web', more: object = {}) =>
  ({ metadata: { name: 'r', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', ...more }, spec: { rules: [{ host: 'a', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }] } }] }, status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } }) as unknown as Ingress
const service = (name: string, port: number) => [name, { metadata: { name }, spec: { ports: [{ port }] } } as unknown as Service] as const
const warned = (reason: string, message: string, lastTimestamp = '2026-01-01T01:00:00Z') => ({ type: 'Warning', reason, message, lastTimestamp, involvedObject: { uid: 'u' } }) as unknown as Event
const beside = (more: Partial<Beside> = {}, ...events: Event[]): Beside => ({ services: new Map([service('web', 80)]), warnings: warningsByObject(events), ...more })
const reasons = (it: Ingress, around: Beside) => troubles(it, around, true).map((one) => one.reason)

describe('the troubles of a route', () => {
  it('are Services, ports and endpoints that are not there', () => {
    expect(reasons(route(), beside())).toEqual([])
    expect(reasons(route('gone'), beside())).toEqual(['noService'])
    expect(reasons(route(), beside({ services: new Map([service('web', 8080)]) }))).toEqual(['noPort'])
    expect(reasons(route(), beside({ endpoints: new Map([['web', { ready: 0 }]]) }))).toEqual(['noEndpoints'])
    expect(reasons(route(), beside({ endpoints: new Map([['web', { ready: 1 }]]) }))).toEqual([])
    expect(reasons(route('gone'), beside({ services: undefined }))).toEqual([])
  })
  it('are an address that does not come', () => expect(reasons({ ...route(), status: {} }, beside())).toEqual(['noAddress']))
  it('are warnings, while these hold', () => {
    const said = warned('InvalidValue', 'metadata.annotations[x/y]: is no number')
    const manager = (time: string) => ({ annotations: { 'x/y': 'z' }, managedFields: [{ time, fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:x/y': {} } } } }] })
    expect(reasons(route('web', manager('2026-01-01T00:30:00Z')), beside({}, said))).toEqual(['warned'])
    expect(reasons(route('web', manager('2026-01-01T02:00:00Z')), beside({}, said))).toEqual([])
    expect(reasons(route(), beside({}, said))).toEqual([])
    expect(reasons(route(), beside({}, warned('DuplicatePath', 'spec.rules[0]: twice')))).toEqual(['warned'])
    expect(reasons(route(), beside({}, warned('SecretNotFound', 'spec.tls[0]: Secret `shop/gone` does not exist')))).toEqual([])
    const later = route('web', manager('2026-01-01T02:00:00Z'))
    expect(doubtful([later, route('web', manager('2026-01-01T00:30:00Z'))], warningsByObject([said]))).toEqual([later])
    expect(reasons(later, beside({ judged: new Map([['u', ['metadata.annotations[x/y]: is no number']]]) }, said))).toEqual(['warned'])
    expect(reasons(later, beside({ judged: new Map([['u', []]]) }, said))).toEqual([])
  })
  it('are judged by the objects where these can be seen', () => {
    const said = warned('ServiceNotFound', 'spec.rules[0]: Service `web` does not exist')
    expect(reasons(route(), beside({}, said))).toEqual([])
    expect(reasons(route(), beside({ services: undefined }, said))).toEqual(['warned'])
  })
  it('stand as events while the objects say the same', () => {
    const said = warned('ServiceNotFound', 'spec.rules[0]: Service `shop/web` does not exist')
    const port = warned('PortNotFound', 'spec.rules[0]: Service `shop/web` has no port 80')
    const without = beside({ services: new Map() })
    const moved = beside({ services: new Map([service('web', 8080)]) })
    expect([stands(said, route(), beside()), stands(said, route(), without), stands(said, route('other'), without)]).toEqual([false, true, false])
    expect([stands(port, route(), beside()), stands(port, route(), moved)]).toEqual([false, true])
  })
})

describe('a warning', () => {
  const words = (language: 'en' | 'zh'): Telling => ({ language, t: ((key: string, of: Record<string, string>) => `${key} ${Object.values(of).join()}`) as Telling['t'], said: (text = '') => (language === 'zh' && text === 'known' ? '已知' : text) })
  const told = (text: string, language: 'en' | 'zh') => tell({ reason: 'warned', text, code: 'NotSupportedYet' }, words(language))
  it('has the name of its reason before words of another language alone', () => {
    expect([told('known', 'zh'), told('of others', 'zh'), told('of others', 'en')]).toEqual(['已知', 'trouble.said 暂不支持,of others', 'of others'])
  })
})
