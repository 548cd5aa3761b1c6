// Keeps pictures for the guide, small: what is not aside, at the width of a desk.
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SHOTS } from './list'
import { shrink } from './shrink'

/** Where they are taken to. */
export const FOLDER = process.env.PAIFANG_SHOTS ?? join(tmpdir(), 'paifang-shots')

/** The guide shows each page as its readers have it by day and by night. */
const SUFFIXES: Record<string, string> = { 'en-light-1280': 'en', 'zh-dark-1280': 'zh', 'en-dark-1280': 'en.dark', 'zh-light-1280': 'zh.light' }

export function keep(from: string, to: string) {
  for (const [look, suffix] of Object.entries(SUFFIXES))
    for (const { name } of SHOTS.filter((it) => !it.aside)) {
      const picture = join(from, `${name}.${look}.png`)
      if (existsSync(picture)) shrink(picture, join(to, `console-${name}.${suffix}.png`))
    }
}
