// Keeps pictures for the guide, small: what is not aside, at the width of a desk; and a page that shows them all.
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SHOTS } from './list'
import { shrink } from './shrink'

/** Where they are taken to. */
export const FOLDER = process.env.PAIFANG_SHOTS ?? join(tmpdir(), 'paifang-shots')

/** The guide shows each page by day and by night, in the order of these columns. */
const LOOKS = [
  { look: 'en-light-1280', suffix: 'en', title: 'English' },
  { look: 'en-dark-1280', suffix: 'en.dark', title: 'English, dark' },
  { look: 'zh-light-1280', suffix: 'zh.light', title: '中文' },
  { look: 'zh-dark-1280', suffix: 'zh', title: '中文，深色' },
]

export function keep(from: string, to: string) {
  const kept = SHOTS.filter((it) => !it.aside)
  for (const { look, suffix } of LOOKS)
    for (const { name } of kept) {
      const picture = join(from, `${name}.${look}.png`)
      if (existsSync(picture)) shrink(picture, join(to, `console-${name}.${suffix}.png`))
    }
  writeFileSync(join(to, 'README.md'), page(kept.map(({ name }) => name)))
}

function page(names: string[]): string {
  const cells = (of: (it: (typeof LOOKS)[number]) => string) => LOOKS.map(of).join(' | ')
  const picture = (name: string) => cells(({ suffix, title }) => `<a href="console-${name}.${suffix}.png"><img src="console-${name}.${suffix}.png" alt="${name}, ${title}" width="240"></a>`)
  const rows = names.map((name) => `| ${name} | ${picture(name)} |\n`)
  return `# What the console looks like\n\nTaken by \`npm run shots\` in \`console/\`. [The console](../console.md)\n\n| | ${cells(({ title }) => title)} |\n|---|---|---|---|---|\n${rows.join('')}`
}
