// What the source offers: every right that is asked about, and every request that changes something, with the file it stands in.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../src', import.meta.url))

/** A right that is asked about: where, and which. */
const RIGHT = /\b(?:can|useMay)\(\s*'([a-z]+)',\s*(?:KINDS\.)?([\w.]+)/g
/** A request that changes something: which, wherever it stands. */
const WRITES: [RegExp, (...found: string[]) => string][] = [
  [/\b(create|edit|replace|remove)(?:<[^(]*>)?\(\s*KINDS\.(\w+)\s*,/g, (way, kind) => `${way} ${kind}`],
  [/<DeleteDialog\s+kind=\{KINDS\.(\w+)\}/g, (kind) => `remove ${kind}`],
  [/\b(attempt|check|useMetrics|logsPath)\(/g, (way) => way],
]
const POST = /\bmethod:\s*'(POST|PUT|PATCH|DELETE)'/
/** What these do is offered by those who call them, or before anybody is signed in. */
const BELOW = /^(api\/(client|console|live|objects|rights|session|watch)|parts\/dialogs|forms\/.*|words\/.*|pages\/sign-in)\.tsx?$|\.test\.tsx?$/

function files(folder = ''): string[] {
  return readdirSync(join(SOURCE, folder), { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? files(join(folder, it.name)) : /\.tsx?$/.test(it.name) ? [join(folder, it.name)] : []))
}

export function offeredBySource(): string[] {
  const marks = files().filter((file) => !BELOW.test(file)).flatMap((file) => {
    const text = readFileSync(join(SOURCE, file), 'utf8')
    const rights = [...text.matchAll(RIGHT)].map(([, verb, kind]) => `${file}: ${verb} ${kind}`)
    const writes = WRITES.flatMap(([form, mark]) => [...text.matchAll(form)].map((found) => mark(...found.slice(1))))
    return [...rights, ...writes, ...(POST.test(text) ? [`${file}: a request of its own`] : [])]
  })
  return [...new Set(marks)].sort()
}
