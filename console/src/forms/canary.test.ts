import { describe, expect, it } from 'vitest'
import type { Ingress } from '../api/types'
import { canariesOf, goWith, primaryOf, shareOf } from './canary'
import { emptyPath, emptyRoute, emptyRule, newObjects, readRoute, refusedFields, ruleChanges, ruleProblems, type RuleForm } from './route'

const KEY = 'nginx.ingress.kubernetes.io/canary'
const backend = (name: string) => ({ service: { name, port: { number: 80 } } })
const path = (text: string, service: string, more = {}) => ({ path: text, pathType: 'Prefix', backend: backend(service), ...more })
const ingress = (name: string, rules: object[], annotations: Record<string, string> = {}, spec: object = {}) =>
  ({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace: 'shop', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z', ...(Object.keys(annotations).length > 0 && { annotations }) }, spec: { ...spec, rules } }) as unknown as Ingress

const web = ingress('web', [{ host: 'a.example', http: { paths: [path('/', 'v1'), path('/api', 'api')] } }], {}, { ingressClassName: 'paifang' })
const canary = (rules: object[], annotations: Record<string, string> = {}, name = 'hand-made') => ingress(name, rules, { [KEY]: 'true', [`${KEY}-weight`]: '20', 'other/key': 'kept', ...annotations }, { ingressClassName: 'paifang' })
const own = canary([{ host: 'a.example', later: 1, http: { paths: [path('/', 'v2', { later: 2 })] } }])
const shared = canary([{ host: 'a.example', http: { paths: [path('/', 'v2')] } }, { host: 'b.example', http: { paths: [path('/', 'else')] } }])

const free = () => false
const rulesOf = (canaries: Ingress[], change: (rules: RuleForm[]) => void) => {
  const { rules } = readRoute(web, canaries)
  change(rules)
  return rules
}
const first = (rules: RuleForm[]) => {
  const found = rules[0]?.paths[0]
  if (!found) throw new Error('a path was there')
  return found
}

describe('the canaries of a route', () => {
  it('have its host, path, type and class', () => {
    const others = [canary([{ host: 'a.example', http: { paths: [path('/other', 'v2')] } }]), ingress('plain', own.spec.rules ?? []), { ...own, spec: { ...own.spec, ingressClassName: 'apisix' } }, canary([{ host: 'a.example', http: { paths: [{ ...path('/', 'v2'), pathType: 'Exact' }] } }])]
    expect(canariesOf(web, [...others, own])).toEqual([own])
    expect(canariesOf(own, [web, own])).toEqual([])
    expect(primaryOf(own, [web])).toBe(web)
  })
  it('are told by their age, as the gateway does', () => {
    const younger = { ...own, metadata: { ...own.metadata, name: 'aaa', creationTimestamp: '2026-02-01T00:00:00Z' } }
    expect(canariesOf(web, [younger, own]).map((it) => it.metadata.name)).toEqual(['hand-made', 'aaa'])
    expect(first(readRoute(web, canariesOf(web, [younger, own])).rules).second?.origin?.canary).toBe('hand-made')
  })
  it('go with it when they are about its paths alone', () => expect(goWith(web, [own, shared])).toEqual([own]))
  it('say their share of a hundred', () => {
    expect(shareOf(canary([], { [`${KEY}-weight`]: '50', [`${KEY}-weight-total`]: '1000' }))).toBe(5)
    expect(shareOf(canary([], { [`${KEY}-weight`]: '500' }))).toBe(100)
  })
})

describe('a second Service', () => {
  it('of the wizard is a canary as one would write it by hand', () => {
    const form = emptyRoute('domain')
    form.name = 'shop'
    form.rules = [{ ...emptyRule('domain'), host: 'a.example', paths: [{ ...emptyPath(), service: 'v1', port: '80', second: { service: 'v2', port: 'http', share: 30, also: [] } }, { ...emptyPath(), path: '/api', service: 'api', port: '80' }] }]
    const made = newObjects('p', form, (name) => name === 'shop-canary')
    expect(made).toHaveLength(2)
    expect(made[1]).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop-canary-2', namespace: 'p', annotations: { [KEY]: 'true', [`${KEY}-weight`]: '30' } },
      spec: { rules: [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'v2', port: { name: 'http' } } } }] } }] },
    })
  })
  it('with another share is another canary, with the same the same', () => {
    const second = (share: number) => ({ service: 'v2', port: '80', share, also: [] })
    const paths = [10, 20, 10].map((share, index) => ({ ...emptyPath(), path: `/${index}`, service: 'v1', port: '80', second: second(share) }))
    const made = newObjects('p', { ...emptyRoute('domain'), name: 'n', rules: [{ ...emptyRule('domain'), host: 'a', paths }] }, free)
    expect(made.map((it) => [it.metadata.name, it.spec.rules?.map((rule) => rule.http?.paths.map((one) => one.path))])).toEqual([['n', [['/0', '/1', '/2']]], ['n-canary', [['/0', '/2']]], ['n-canary-2', [['/1']]]])
  })
  it('that is read and written again is the same', () => {
    for (const all of [[own], [shared], [canary([{ host: 'a.example', http: { paths: [path('/', 'v2')] } }], { [`${KEY}-weight`]: '333', [`${KEY}-weight-total`]: '1000' })]]) expect(ruleChanges(web, all, rulesOf(all, () => undefined), free)).toEqual([])
  })
  it('keeps what the form does not know, follows its path, and takes the class of its route', () => {
    const changes = ruleChanges(web, [own], rulesOf([own], (rules) => {
      if (rules[0]) rules[0].host = 'c.example'
      first(rules).second = { ...first(rules).second!, share: 40, service: 'v3' }
    }), free)
    expect(changes.map((it) => it.do)).toEqual(['edit', 'edit'])
    const edited = changes[1]?.do === 'edit' ? changes[1].edited : undefined
    expect(edited?.metadata.annotations).toEqual({ ...own.metadata.annotations, [`${KEY}-weight`]: '40' })
    expect(edited?.spec).toEqual({ ingressClassName: 'paifang', rules: [{ host: 'c.example', later: 1, http: { paths: [path('/', 'v3', { later: 2 })] } }] })
    const made = ruleChanges(web, [], rulesOf([], (rules) => void (first(rules).second = { service: 'v2', port: '80', share: 5, also: [] })), free)
    expect(made[0]?.do === 'create' && made[0].object.spec.ingressClassName).toBe('paifang')
  })
  it('that is taken away takes its canary along, but for what that has of others', () => {
    const without = (all: Ingress[]) => ruleChanges(web, all, rulesOf(all, (rules) => void delete first(rules).second), free)
    expect(without([own])).toEqual([{ do: 'delete', read: own }])
    expect(without([shared])).toEqual([{ do: 'edit', read: shared, edited: { ...shared, spec: { ...shared.spec, rules: [shared.spec.rules?.[1]] } } }])
  })
  it('whose share changes leaves a canary that others use', () => {
    const changes = ruleChanges(web, [shared], rulesOf([shared], (rules) => void (first(rules).second!.share = 50)), free)
    expect(changes.map((it) => it.do)).toEqual(['edit', 'create'])
    const made = changes[1]?.do === 'create' ? changes[1].object : undefined
    expect(made?.metadata).toEqual({ name: 'web-canary', namespace: 'shop', annotations: { [KEY]: 'true', [`${KEY}-weight`]: '50', 'other/key': 'kept' } })
  })
  it('joins a canary of the same share, unless that asks for headers, too', () => {
    const second = { service: 'v4', port: '80', share: 20, also: [] }
    const add = (all: Ingress[]) => ruleChanges(web, all, rulesOf(all, (rules) => void (rules[0]!.paths[1]!.second = second)), free).map((it) => it.do)
    expect(add([own])).toEqual(['edit'])
    expect(add([{ ...own, metadata: { ...own.metadata, annotations: { ...own.metadata.annotations, [`${KEY}-by-header`]: 'x-new' } } }])).toEqual(['create'])
  })
  it('is not of generated hosts, which are named for one Service', () => {
    const rules = [{ ...emptyRule('auto'), paths: [{ ...emptyPath(), service: 'v1', port: '80', second: { service: 'v2', port: '80', share: 5, also: [] } }] }]
    expect(newObjects('p', { ...emptyRoute('auto'), name: 'n', rules }, free)).toHaveLength(1)
  })
  it('says what is wrong with it', () => {
    const at = (second: object) => ruleProblems([{ ...emptyRule('domain'), host: 'a', paths: [{ ...emptyPath(), service: 'v1', port: '80', second: { service: 'v2', port: '80', share: 5, also: [], ...second } }] }]).map((it) => `${it.field} ${it.reason}`)
    expect(at({})).toEqual([])
    expect(at({ service: '', port: '', share: null })).toEqual(['rules.0.paths.0.second.service required', 'rules.0.paths.0.second.port required', 'rules.0.paths.0.second.share share'])
    expect(at({ service: 'v1', share: 101 })).toEqual(['rules.0.paths.0.second.service sameService', 'rules.0.paths.0.second.share share'])
  })
})

describe('a refusal of the API', () => {
  it('is shown at the field it is about', () => {
    const said = refusedFields([{ field: 'spec.rules[1].http.paths[2].backend.service.port', message: 'a' }, { field: 'spec.rules[0].host', message: 'b' }, { field: 'metadata.annotations[x/y]', message: 'c' }, { field: 'spec.tls', message: 'd' }])
    expect(said.map((it) => [it.field, it.said])).toEqual([['rules.1.paths.2.port', 'a'], ['rules.0.host', 'b'], ['metadata', 'c']])
  })
})
