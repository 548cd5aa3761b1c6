import { describe, expect, it } from 'vitest'
import type { Event, Obj } from '../api/types'
import { isPast, standingFirst } from './past'

const BEFORE = '2026-01-01T01:00:00Z'
const AFTER = '2026-01-01T02:00:00Z'
const warned = (reason: string, message: string, more: object = {}) => ({ type: 'Warning', reason, message, lastTimestamp: BEFORE, metadata: { name: reason }, ...more }) as unknown as Event
const object = (more: object, changed = AFTER, kind = 'HTTPRoute') => ({ kind, metadata: { name: 'web', managedFields: [{ time: changed }] }, ...more }) as unknown as Obj
const condition = (message: string, more: object = {}) => ({ type: 'ResolvedRefs', status: 'False', reason: 'BackendNotFound', message, lastTransitionTime: BEFORE, ...more })

const GONE = 'spec.rules[0].backendRefs[0]: Service `shop/nono` does not exist. Create a Service `nono` in namespace `shop`'

describe('a Warning', () => {
  it('stands while a condition says it, of the object, its parents or its listeners, among others', () => {
    for (const status of [{ conditions: [condition(GONE)] }, { parents: [{ conditions: [condition(`spec.x: other; ${GONE}`)] }] }, { listeners: [{ conditions: [condition(GONE)] }] }])
      expect(isPast(warned('ServiceNotFound', GONE), object({ status }))).toBe(false)
  })
  it('is past once nothing says it any longer', () => {
    const fine = { conditions: [condition('all references are resolved', { status: 'True' })] }
    expect(isPast(warned('ServiceNotFound', GONE), object({ status: fine }))).toBe(true)
    expect(isPast(warned('ServiceNotFound', GONE), object({ status: fine }, BEFORE))).toBe(false)
    expect(isPast({ ...warned('ServiceNotFound', GONE), type: 'Normal' }, object({ status: fine }))).toBe(false)
  })
  it('stands where nothing is said of the object at all', () => expect(isPast(warned('ReferenceNotFound', 'spec.parentRefs[0]: no'), object({}))).toBe(false))
  it('is told by a condition without its field and its hint, or by its reason', () => {
    const status = { conditions: [condition('no spans reach http://x', { type: 'Traced', reason: 'CollectorUnreachable' })] }
    expect(isPast(warned('Other', 'spec.tracing.endpoint: no spans reach http://x. Start the collector'), object({ status }))).toBe(false)
    expect(isPast(warned('CollectorUnreachable', 'in other words'), object({ status }))).toBe(false)
    expect(isPast(warned('CollectorUnreachable', 'in other words'), object({ status: { conditions: [condition('all arrive', { type: 'Traced', status: 'True', reason: 'CollectorUnreachable' })] } }))).toBe(true)
  })
  it('of an annotation is past without it, or with another value', () => {
    const said = warned('EndpointRefused', 'metadata.annotations[paifang.dev/endpoints]: `169.254.169.254:80` is not used as an endpoint')
    const service = (endpoints?: string) => object({ metadata: { name: 'web', ...(endpoints && { annotations: { 'paifang.dev/endpoints': endpoints } }) } }, AFTER, 'Service')
    expect([undefined, '10.0.0.1:80', '10.0.0.1:80, 169.254.169.254:80'].map((it) => isPast(said, service(it)))).toEqual([true, true, false])
  })
  it('of an address that does not come is past once it has come, or is not wanted', () => {
    const said = warned('AddressPending', 'status.loadBalancer: no address can be given')
    const service = (type: string, ingress: object[]) => object({ spec: { type }, status: { loadBalancer: { ingress } } }, AFTER, 'Service')
    expect([service('LoadBalancer', []), service('LoadBalancer', [{ ip: '10.0.0.1' }]), service('ClusterIP', [])].map((it) => isPast(said, it))).toEqual([false, true, true])
  })
})

it('those that stand come first, the newest of each before the others', () => {
  const [old, fresh, over] = [warned('old', ''), warned('fresh', '', { lastTimestamp: AFTER }), warned('over', '', { lastTimestamp: AFTER })]
  expect(standingFirst([over, old, fresh], (it) => it === over).map((it) => it.reason)).toEqual(['fresh', 'old', 'over'])
})
