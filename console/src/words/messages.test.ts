import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { conditionName, reasonName } from './conditions'
import { PHRASES } from './messages/fields.zh'
import { CATALOGUE, chinese } from './messages/messages.zh'
import { isProse } from './sentences'

const CRATES = join(import.meta.dirname, '../../../crates')

const files = (folder: string, end: string): string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile() && it.name.endsWith(end)).map((it) => join(it.parentPath, it.name))

/** What stands in a text as `message`, and as `hint` beside it. */
function said(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(said)
  if (typeof value !== 'object' || value === null) return []
  const { message, hint, ...rest } = value as Record<string, unknown>
  const own = typeof message === 'string' ? [typeof hint === 'string' ? `${message}. ${hint}` : message] : []
  return [...own, ...Object.values(rest).flatMap(said)]
}

const golden = [...new Set(readdirSync(CRATES).flatMap((crate) => files(join(CRATES, crate), 'status.yaml')).flatMap((file) => said(parse(readFileSync(file, 'utf8')))))]

/** Of the reference's tables: `Accepted` | `ListenersNotValid`. */
const named = ['gateway-api', 'istio'].flatMap((page) => [...readFileSync(join(CRATES, `../docs/reference/${page}.md`), 'utf8').matchAll(/\| `([A-Z]\w+)=\w+` \| `([A-Z]\w+)` \|/g)].map(([, type = '', reason = '']) => ({ type, reason })))

describe('what the server says', () => {
  it('is said in Chinese', () => {
    expect(golden.length).toBeGreaterThan(200)
    expect(golden.filter((text) => chinese(text) === undefined)).toEqual([])
  })
  it('is not said by halves', () => {
    expect(golden.map((text) => (chinese(text) ?? '').replace(/\b(kubectl|paifang) .*/, '')).filter(isProse)).toEqual([])
  })
  it('has names of conditions and reasons', () => {
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter(({ type, reason }) => conditionName(type, 'zh') === type || reasonName(reason, 'zh') === '')).toEqual([])
  })
  it('has no entry twice', () => {
    const seen = new Set<string>(PHRASES.map(([english]) => english))
    expect([...CATALOGUE].filter(([english]) => seen.size === seen.add(english).size).map(([english]) => english)).toEqual([])
  })
})
