// Sentences as the server's sources have them: what no golden shows is found here.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PHRASES } from './messages/fields.zh'
import { chinese, step } from './messages/messages.zh'
import { isProse } from './sentences'

const CRATES = join(import.meta.dirname, '../../../crates')

/** Where sentences are written that the console shows. */
const SOURCES = [
  'access/src/asked.rs', 'access/src/words.rs',
  'apiserver/src/body.rs', 'apiserver/src/containers.rs', 'apiserver/src/delete.rs', 'apiserver/src/failure.rs', 'apiserver/src/names.rs', 'apiserver/src/patch/operations.rs', 'apiserver/src/people', 'apiserver/src/rbac/attempt.rs', 'apiserver/src/rbac/escalation.rs', 'apiserver/src/read.rs', 'apiserver/src/read_only.rs', 'apiserver/src/write.rs',
  'console/src',
  'control/src/answers', 'control/src/answers.rs', 'control/src/entrances.rs', 'control/src/forwarding', 'control/src/forwarding.rs', 'control/src/sockets.rs', 'control/src/stand_in',
  'model/src/egress.rs', 'model/src/name.rs', 'pools/src', 'resources/src', 'schema/src/name.rs', 'schema/src/path.rs', 'schema/src/rules', 'schema/src/structural/scale.rs', 'schema/src/structural/validate.rs', 'schema/src/violation.rs',
  'status/src/event.rs', 'tenancy/src/plan', 'trace/src/courier.rs', 'trace/src/dial.rs', 'trace/src/line.rs',
  'translate/src', 'translate-gateway-api/src', 'translate-ingress/src', 'translate-istio/src', 'translate-service/src',
]

/** What is made of these stands in reference pages, in logs, or is about objects that nobody writes here. */
const ELSEWHERE = /\/(?:reference|conditions|known|start|page|cookie)\.rs$|\/rules\/(?:crd|deployment|event|lease|pod)\b/

const files = (path: string): string[] => {
  if (path.endsWith('.rs')) return [path]
  return readdirSync(join(CRATES, path), { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile() && it.name.endsWith('.rs') && !/^tests?\.rs$/.test(it.name) && !/\/tests\b/.test(it.parentPath))
    .map((it) => join(it.parentPath, it.name).slice(CRATES.length + 1))
    .filter((it) => !ELSEWHERE.test(it) || it === 'control/src/answers/conditions.rs')
}

const TOKENS = /\/\/[^\n]*|b?r(#*)"([\s\S]*?)"\1|"((?:\\[\s\S]|[^"\\])*)"|'(?:\\.|[^'\\])'/g
/** Before what is for who reads the source or a log. */
const ASIDE = /(?:\b(?:expect|unreachable|panic|assert|debug_assert|assert_eq)!?\(|reason = |(?:tracing::)?\b(?:info|warn|error|debug|trace)!\([^"]*|describe_\w+!\([^"]*)$/

function literals(source: string): string[] {
  const own = source.replace(/#\[cfg\(test\)\]\s*(?:pub\(\w+\) )?mod \w+ \{[\s\S]*$/, '')
  return [...own.matchAll(TOKENS)].flatMap((found) => {
    const text = found[2] ?? found[3]
    return text === undefined || ASIDE.test(own.slice(Math.max(0, found.index - 120), found.index)) ? [] : [unescaped(text)]
  })
}

const unescaped = (text: string) => text.replace(/\\\n\s*/g, '').replace(/\\(["\\])/g, '$1').replace(/\\n/g, '\n')

/** With something in each place that is filled in. */
function filled(literal: string): string {
  let at = 0
  return literal.replace(/\{\{|\}\}|\{([^{}"]*)\}/g, (whole, hole?: string) => (hole === undefined ? whole.charAt(0) : hole.endsWith(':?') ? `"x${(at += 1)}"` : `x${(at += 1)}`))
}

/** What sentences are put together of in the source; whole ones are in the catalogue, and in goldens. */
const PARTS = [
  /^(?:any path|\/ and below|x1 and below|http only|https only|x1 delayed by x2 ms|header x1 set to x2)$/,
  /: $|^,? | (?:is|are) (?:asked|tried)$|^(?:at the cluster|in the namespace) /,
  /^(?:is somebody else's|is not in the range x1 to x2|node port x1 x2, so port x3 has x4|every node port is taken; x1|no address can be given: x1; x2|port x1 for another protocol|port x1 and host `x2`|`x1` on port x2 belongs to x3 x4, which .*)$/,
  /^(?:x1 is not x2|must be no more than x1 x2|x1 \(e\.g\. x2regex .*|may not be more than x1 x2|must have at most x1 x2|x1 in body should be x2 x3|(?:less|greater) than(?: or equal to)?)$/,
  /^(?:no workspace|the workspace x1|the namespace x1 belongs to x2 now|the body|Did you mean|a Gatewayx1 has .*|Gateway `x1` has no listenerx2x3|VirtualService `x1` does not exist, x2)$/,
  /^(?:Service `x1` has no x2, so the path answers 503|port without name or number|`x1` is no x2, so the default holds|Paifang keeps this object, .*|.*; what (?:it|they) x1 .*)$/,
  /^(?:\. With `paifang up --demo` .*)$/,
]
/** Commands, and what is said in reference pages or for programs alone. */
const ASIDES = [
  // What a value should be: within `… is not …` alone.
  new RegExp(`^(?:${PHRASES.map(([english]) => english.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\\\{\\\}/g, '\\w+')).join('|')})$`),
  /^(?:kubectl|paifang) /, /^(?:delete )?get patch update$/, /^<secret contents redacted>$/, /^the client does not take what is written$/,
  // Kinds of values, as reference pages and options' messages name them.
  /^(?:truth value|such status|(?:header|cookie) name|regular expression|nginx directives|name of a (?:Service|header)|list of statuses from .*|number of seconds from .*|format of at most .*|statuses from .*|the gateway's|path with .*|host, with or without port)$/,
]

describe('sentences of the sources', () => {
  const all = SOURCES.flatMap(files).map((file) => ({ file, texts: literals(readFileSync(join(CRATES, file), 'utf8')).filter((text) => isProse(text.replace(/`/g, '')) && !(file.startsWith('translate') && text.endsWith('.'))).map(filled) }))
  it('have Chinese', () => {
    const missing = all.flatMap(({ file, texts }) => texts.filter((text) => ![...PARTS, ...ASIDES].some((it) => it.test(text)) && chinese(text) === undefined && step(text) === undefined).map((text) => `${file}: ${text}`))
    expect(missing).toEqual([])
  })
  it('have Chinese where they are of what is done with a request', () => {
    const source = readFileSync(join(CRATES, 'access/src/words.rs'), 'utf8')
    const of = (from: string, to: string) => literals(source.slice(source.indexOf(from), source.indexOf(to))).map(filled).filter((it) => /[a-z]{2}/i.test(it.replace(/x\d/g, '')))
    const faults = of('fn fault_text', 'fn share').filter((it) => !it.startsWith('fault'))
    const parts: Record<string, string[]> = { 'request x1': of('fn edit_text', 'pub fn source_text'), 'response x1': of('fn edit_text', 'pub fn source_text'), 'fault: x1': [...faults, faults.join(', ')] }
    const whole = [...of('pub fn filter_text', 'fn fault_text').filter((it) => it !== 'nobody'), 'fault: x1'].flatMap((it) => parts[it]?.map((part) => it.replace('x1', part)) ?? [it])
    expect(whole.length).toBeGreaterThan(18)
    expect(whole.filter((it) => step(it) === undefined)).toEqual([])
  })
})
