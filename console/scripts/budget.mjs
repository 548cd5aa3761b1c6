// How much a browser loads, by the build's manifest: the shell, a first list page, and what is loaded on use. Fails above the budget.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gzipSync } from 'node:zlib'

const DIST = join(import.meta.dirname, '..', 'dist')
const KB = 1000
const manifest = JSON.parse(readFileSync(join(DIST, '.vite', 'manifest.json'), 'utf8'))

/** All files that importing these needs at once. */
function files(entries) {
  const seen = new Set()
  const visit = (key) => {
    if (seen.has(key)) return
    seen.add(key)
    manifest[key].imports?.forEach(visit)
  }
  entries.forEach(visit)
  return new Set([...seen].flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? [])]))
}

const size = (names) => [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length, 0) / KB
const without = (names, others) => new Set([...names].filter((name) => !others.has(name)))

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
const language = 'src/words/pack.zh.ts'
const shell = files([entry, language])
const list = files([entry, language, 'src/pages/routes/list.tsx'])
const rows = [
  ['shell (with one language)', size(shell), 250],
  ['shell and first list page', size(list), 400],
  ['YAML editor', size(without(files(['src/parts/yaml.tsx']), list)), 170],
  ['charts', size(without(files(['src/parts/chart.tsx']), list)), 170],
]
let failed = 0
for (const [name, kilobytes, most] of rows) {
  const over = kilobytes > most
  failed += Number(over)
  console.log(`${over ? 'OVER' : 'ok  '} ${name.padEnd(28)} ${kilobytes.toFixed(1).padStart(7)} kB gzipped of ${most}`)
}
for (const { file } of Object.values(manifest)) {
  if (!/\.(js|css|svg)$/.test(file) || readFileSync(join(DIST, file)).length < 512) continue
  const twin = join(DIST, `${file}.br`)
  const same = existsSync(twin) && brotliDecompressSync(readFileSync(twin)).equals(readFileSync(join(DIST, file)))
  if (!same) {
    failed += 1
    console.log(`OVER ${file} has no .br twin that is the same`)
  }
}
process.exitCode = failed > 0 ? 1 : 0
