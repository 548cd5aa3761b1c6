import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chinese } from './messages/messages.zh'
import { CHINESE, chineseOf } from './reasons'

const told = JSON.parse(readFileSync(join(import.meta.dirname, 'reasons.json'), 'utf8')) as Record<string, { english: string; values: string[] }>
const used = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1])

describe('what the server says of hops', () => {
  it('has words in both languages for each reason, and for no other', () => {
    expect(Object.keys(CHINESE).sort()).toEqual(Object.keys(told).sort())
    for (const [reason, { english }] of Object.entries(told)) for (const text of [english, CHINESE[reason]]) expect(text?.trim(), reason).toBeTruthy()
  })
  it('uses no value that is not there', () => {
    for (const [reason, { english, values }] of Object.entries(told)) for (const text of [english, CHINESE[reason] ?? '']) expect(values, `${reason}: ${text}`).toEqual(expect.arrayContaining(used(text)))
  })
  it('tells in Chinese what is told in English: no value is lost', () => {
    for (const [reason, { english }] of Object.entries(told)) expect(new Set(used(CHINESE[reason] ?? '')), reason).toEqual(new Set(used(english)))
  })
  it('is put together, and is left to the server where it is new', () => {
    expect(chineseOf('NoSuchName', { host: 'a.example', resolver: "the system's resolver" })).toBe('系统解析器没有 a.example 的记录')
    expect(chineseOf('NoSuchName', { host: '{resolver}', resolver: 'x' })).toBe('x没有 {resolver} 的记录')
    expect(chineseOf('OfTomorrow', {})).toBeUndefined()
    expect(chineseOf(null, {})).toBeUndefined()
  })
  it('tells in Chinese what is a sentence itself', () => {
    const said = (reason: string, values: Record<string, string>) => chineseOf(reason, values, (text = '') => chinese(text) ?? text)
    expect(said('MendObject', { object: 'Ingress demo/web', problem: 'spec.tls[0].secretName: Secret `demo/gone` does not exist' })).toBe('Ingress demo/web：spec.tls[0].secretName：保密字典 demo/gone 不存在')
    expect(said('NearRoutes', { routes: 'a.test, Ingress demo/web  spec.rules[0].http.paths[0]: path is not `/x` or below; method is not GET; Ingress demo/old: Accepted is False, NoMatch: no gateway serves it' })).toBe(
      '相近的有 a.test，Ingress demo/web 的 spec.rules[0].http.paths[0]：路径不是“/x”，也不在其下；方法不是 GET；Ingress demo/old：Accepted 为 False，NoMatch：没有网关提供服务',
    )
    expect(said('ConditionSays', { condition: 'Accepted', status: 'False', why: 'NoMatchingParent: Gateway `demo/edge` has no listener `web`' })).toBe('Accepted 为 False，NoMatchingParent：Gateway demo/edge 没有名为 web 的监听器')
  })
})
