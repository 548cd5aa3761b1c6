import { describe, expect, it } from 'vitest'
import type { Permission } from '../api/console'
import type { IngressGateway, RoleBinding, User } from '../api/types'
import { addressesOf } from './addresses'
import { EMPTY_GATEWAY, readGateway, writeGateway } from './gateway'
import { has, membersOf, withoutMember } from './people'
import { hasDrifted, newRole, readRole, writeRole } from './role'
import { readUser, writeUser } from './user'

const rule = (group: string, resources: string, verbs: string) => ({ apiGroups: [group], resources: resources.split(' '), verbs: verbs.split(' ') })
const CATALOGUE: Permission[] = [
  { name: 'routes', place: 'project', about: { en: '', zh: '' }, levels: { view: [rule('net', 'ingresses', 'get list')], manage: [rule('net', 'ingresses', 'create get list'), rule('gw', 'routes', 'get')] } },
  { name: 'extra', place: 'project', about: { en: '', zh: '' }, levels: { view: [rule('gw', 'gateways', 'get'), rule('net', 'ingresses', 'watch')] } },
]

describe('an own role', () => {
  const form = { name: 'router', description: 'x', chosen: { routes: 'manage', extra: 'view' } }
  const role = { apiVersion: '', kind: '', ...newRole('shop', form, CATALOGUE) }
  it('has as few rules as there are groups and verbs', () =>
    expect(role.rules).toEqual([rule('gw', 'gateways routes', 'get'), rule('net', 'ingresses', 'create get list watch')]))
  it('is read as it was written, and has not drifted', () => {
    expect(readRole(role)).toEqual(form)
    expect(hasDrifted(role, CATALOGUE)).toBe(false)
  })
  it('has drifted when somebody has changed its rules', () => expect(hasDrifted({ ...role, rules: role.rules?.slice(1) ?? [] }, CATALOGUE)).toBe(true))
  it('keeps what the form does not know', () => {
    const labelled = { ...role, metadata: { ...role.metadata, labels: { kept: 'yes' } } }
    expect(writeRole(labelled, { ...form, chosen: { routes: 'view' } }, CATALOGUE)).toMatchObject({ metadata: { labels: { kept: 'yes' } }, rules: [rule('net', 'ingresses', 'get list')] })
  })
})

describe('members', () => {
  const binding: RoleBinding = { apiVersion: '', kind: '', metadata: { name: 'b' }, roleRef: { apiGroup: 'rbac', kind: 'Role', name: 'viewer' }, subjects: [{ kind: 'User', name: 'ann' }, { kind: 'Group', name: 'ann' }] }
  it('are one row for each subject', () => expect(membersOf(binding).map((it) => [it.member, it.subject])).toEqual([['ann', 'User'], ['ann', 'Group']]))
  it('are taken out one by one', () => {
    expect(has(binding, 'ann')).toBe(true)
    const left = withoutMember(binding, 'ann')
    expect(left?.subjects).toEqual([{ kind: 'Group', name: 'ann' }])
    expect(left && withoutMember(left, 'ann')).toBe(left)
  })
})

it('a user keeps what the form does not know', () => {
  const user = { apiVersion: '', kind: '', metadata: { name: 'ann' }, spec: { displayName: 'A', suspended: true, other: 1 } } as unknown as User
  expect(writeUser(user, { ...readUser(user), displayName: '', email: 'a@b' }).spec).toEqual({ suspended: true, other: 1, email: 'a@b' })
})

describe('a gateway', () => {
  const of = (spec: IngressGateway['spec']): IngressGateway => ({ apiVersion: '', kind: '', metadata: { name: 'gateway' }, spec })
  it('that goes to node ports leaves what providers read, and nothing else', () => {
    const gateway = of({ access: { type: 'LoadBalancer', provider: 'OpenELB', annotations: { 'lb.kubesphere.io/v1alpha1': 'openelb', 'example.com/kept': 'yes' }, loadBalancerIP: '10.0.0.1' } })
    const { spec } = writeGateway(gateway, { ...readGateway(gateway), type: 'NodePort' })
    expect(spec.access).toEqual({ type: 'NodePort', annotations: { 'example.com/kept': 'yes' } })
  })
  it('is traced to a collector, and no more when it is turned off', () => {
    const on = writeGateway(of({}), { ...EMPTY_GATEWAY, tracing: true, endpoint: 'http://c:4317', sampling: 10 })
    expect(on.spec.tracing).toEqual({ enabled: true, endpoint: 'http://c:4317', sampling: 10 })
    expect(writeGateway(on, { ...readGateway(on), tracing: false }).spec.tracing).toEqual({ enabled: false, endpoint: 'http://c:4317', sampling: 10 })
  })
  it('that is traced by governance is left so', () => {
    const gateway = of({ governance: true })
    expect(writeGateway(gateway, readGateway(gateway)).spec).toMatchObject({ governance: true })
    expect('tracing' in writeGateway(gateway, readGateway(gateway)).spec).toBe(false)
  })
})

it('ranges are counted out, as long as they are few', () => {
  expect(addressesOf(['10.0.0.254-10.0.1.1', '10.1.0.0/31', '10.2.0.1'], 256)).toEqual(['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1', '10.1.0.0', '10.1.0.1', '10.2.0.1'])
  expect(addressesOf(['10.0.0.0/16'], 256)).toBeNull()
  expect(addressesOf(['fd00::1-fd00::9'], 256)).toBeNull()
})
