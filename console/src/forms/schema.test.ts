import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { doubts, pathAt, schemasOf, suggestions } from './schema'

const ref = (name: string) => ({ allOf: [{ $ref: `#/components/schemas/${name}` }] })
const schemas = schemasOf(
  {
    components: {
      schemas: {
        Ingress: { 'x-kubernetes-group-version-kind': [{ group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' }], properties: { spec: ref('Spec'), kind: { type: 'string' }, metadata: { type: 'object', properties: { annotations: { type: 'object', additionalProperties: { type: 'string' } } } }, port: { 'x-kubernetes-int-or-string': true, type: 'string' } } },
        Spec: { type: 'object', properties: { rules: { type: 'array', items: ref('Rule') }, tls: { type: 'array' } } },
        Rule: { type: 'object', properties: { host: { type: 'string', description: 'a domain name' }, http: { type: 'object', properties: { paths: { type: 'array' } } } } },
      },
    },
  },
  'networking.k8s.io',
  'v1',
  'Ingress',
)

describe('the keys that may stand at a place', () => {
  const names = (before: string) => (schemas ? suggestions(schemas, before).map((it) => it.name) : [])
  it('are those of the object above, by indentation', () => {
    expect(names('')).toEqual(['spec', 'kind', 'metadata', 'port'])
    expect(names('kind: Ingress\nspec:\n  ')).toEqual(['rules', 'tls'])
    expect(names('spec:\n  rules:\n    - ')).toEqual(['host', 'http'])
    expect(names('spec:\n  rules:\n    - host: a.example\n      ')).toEqual(['host', 'http'])
    expect(names('spec:\n  rules:\n    - host: a.example\n      http:\n        ')).toEqual(['paths'])
    expect(names('spec:\n  rules:\n    - host: a\n  ')).toEqual(['rules', 'tls'])
  })
  it('say what they mean', () => expect(schemas && suggestions(schemas, 'spec:\n  rules:\n  - ')[0]).toEqual({ name: 'host', type: 'string', about: 'a domain name' }))
  it('are found below keys that are far above', () => expect(pathAt('a:\n  b:\n    c: 1\n    d:\n      e: 1\n    ')).toEqual(['a', 'b']))
})

describe('what the description does not know', () => {
  const said = (text: string) => (schemas ? doubts(schemas, parseDocument(text)).map((it) => `${it.reason} ${it.what} ${it.wanted} ${text.slice(it.from, it.to)}`.trim()) : [])
  it('is marked where it stands', () => {
    expect(said('kind: Ingress\nspec:\n  rulez: []\n  rules:\n  - host: a\n    htp: {}\n')).toEqual(['unknownField rulez  rulez', 'unknownField htp  htp'])
    expect(said('spec:\n  rules: []\n  tls:\n')).toEqual([])
  })
  it('is a value of another type', () => {
    expect(said('metadata:\n  annotations:\n    a/b: true\n    c/d: "true"\n')).toEqual(['wrongType true string true'])
    expect(said('spec:\n  rules:\n    host: a\n')[0]).toMatch(/^wrongType {2}array/)
    expect(said('port: 80\n')).toEqual([])
  })
})
