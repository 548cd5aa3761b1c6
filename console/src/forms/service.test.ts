import { describe, expect, it } from 'vitest'
import type { Service } from '../api/types'
import { difference } from './patch'
import { emptyService, isEndpoint, mayHaveEndpoints, newService, readEndpoints, readExternal, serviceProblems, writeEndpoints, writeExternal } from './service'

const read = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'n', annotations: { 'paifang.dev/endpoints': '10.0.0.1:80', 'eip.porter.kubesphere.io/v1alpha2': 'pool' } },
  spec: { later: true, clusterIP: '10.1.1.1', ports: [{ name: 'http', port: 80, appProtocol: 'h2c' }], sessionAffinity: 'ClientIP' },
} as unknown as Service

describe('external access', () => {
  it('that is read and written again is the same', () => {
    for (const it of [read, { ...read, spec: { ...read.spec, type: 'LoadBalancer' } }, { ...read, spec: { ...read.spec, type: 'NodePort' } }]) expect(difference(it, writeExternal(it, readExternal(it)))).toEqual([])
  })
  it('keeps fields that the form does not know, and the endpoints that another form has', () => {
    const form = readExternal(read)
    expect(form.annotations).toEqual([{ key: 'eip.porter.kubesphere.io/v1alpha2', value: 'pool' }])
    expect(difference(read, writeExternal(read, { type: 'LoadBalancer', annotations: [] }))).toEqual([{ op: 'remove', path: '/metadata/annotations/eip.porter.kubesphere.io~1v1alpha2' }, { op: 'add', path: '/spec/type', value: 'LoadBalancer' }])
    expect(difference(read, writeExternal(read, { type: 'NodePort', annotations: [] }))).toEqual([{ op: 'add', path: '/spec/type', value: 'NodePort' }])
  })
})

describe('static endpoints', () => {
  it('are an annotation, and nothing else changes', () => {
    expect(readEndpoints(writeEndpoints(read, ['10.0.0.2:80', '[fd00::1]:81']))).toEqual(['10.0.0.2:80', '[fd00::1]:81'])
    expect(difference(read, writeEndpoints(read, []))).toEqual([{ op: 'remove', path: '/metadata/annotations/paifang.dev~1endpoints' }])
    expect(difference(read, writeEndpoints(read, readEndpoints(read)))).toEqual([])
  })
  it('are of Services without Pods', () => {
    const has = (spec: object) => mayHaveEndpoints({ ...read, spec })
    expect([has({}), has({ selector: { app: 'x' } }), has({ type: 'ExternalName' })]).toEqual([true, false, false])
  })
  it('are addresses with ports', () => expect(['127.0.0.1:80', '[::1]:8080', '10.0.0.1', 'web:80', '1.2.3.4:0', '1.2.3.400:80', '1.2.3.4:70000', '[10.0.0.1]:80'].map(isEndpoint)).toEqual([true, true, false, false, false, false, false, false]))
})

describe('a new Service', () => {
  it('is as one would write it by hand', () => {
    expect(newService('n', 'me', { ...emptyService(), name: 'db', alias: 'The database', endpoints: ['10.0.0.9:5432'], ports: [{ name: '', port: 5432 }] })).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'db', namespace: 'n', annotations: { 'kubesphere.io/creator': 'me', 'kubesphere.io/alias-name': 'The database', 'paifang.dev/endpoints': '10.0.0.9:5432' } },
      spec: { ports: [{ port: 5432 }] },
    })
  })
  it('says what is wrong, and where', () => {
    const said = (more: object) => serviceProblems({ ...emptyService(), name: 'a', endpoints: ['10.0.0.1:1'], ...more }, (name) => name === 'taken').map((it) => `${it.field} ${it.reason}`)
    expect(said({})).toEqual([])
    expect(said({ name: '', endpoints: [] })).toEqual(['name required', 'endpoints required'])
    expect(said({ name: '1a', endpoints: ['x'] })).toEqual(['name name', 'endpoints endpoint'])
    expect(said({ name: 'taken', ports: [{ name: 'a', port: null }, { name: 'b', port: 80 }, { name: 'b', port: 81 }, { name: '', port: 82 }] })).toEqual(['name taken', 'ports.0 port', 'ports.2 portTwice', 'ports.3 portName'])
  })
})
