import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
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
})
