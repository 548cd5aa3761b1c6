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

/** What Kubernetes' own server answered when this API was compared with it. */
const answered = ['requests', 'escalation'].flatMap((story) => [...readFileSync(join(CRATES, `apiserver/tests/api/oracle/${story}.txt`), 'utf8').matchAll(/"message":("(?:[^"\\]|\\.)*")/g)].map((found) => JSON.parse(found[1] ?? '""') as string))
/** Words of Go's decoders, of rules that the tests make up, and of what nobody writes here. */
const OTHERS = [/: (?:json: |illegal base64|invalid character|expected value|cannot restore|no kind |Checked value)/, /fixed never changes|nine is blue|must be Widget/, /`selector` does not match|invalid label selector|must be specified for an update/, /spec\.names|storage version|stored version|root of the schema|object at the root/, /resourceVersionMatch|sendInitialEvents/, /[aA]ttributes|at least one of user or group|metadata\.namespace$|this kind of request|managedFields/, /duration|list of texts|service account name/, /^operation 0 \( of|\(add of \)/]

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
  it('is said in Chinese where Kubernetes says it', () => {
    expect(answered.length).toBeGreaterThan(200)
    expect([...new Set(answered)].filter((text) => chinese(text) === undefined && !OTHERS.some((it) => it.test(text)))).toEqual([])
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
