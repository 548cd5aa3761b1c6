import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import en from './en'
import zh from './zh'

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort()

describe('the words of both languages', () => {
  it('have equal keys, in the same order', () => expect(Object.keys(zh)).toEqual(Object.keys(en)))
  it('have something to say', () => {
    for (const [key, text] of [...Object.entries(en), ...Object.entries(zh)]) expect(text.trim(), key).not.toBe('')
  })
  it('have equal placeholders', () => {
    for (const [key, text] of Object.entries(en)) expect(placeholders(zh[key as keyof typeof en]), key).toEqual(placeholders(text))
  })
  it('are Chinese where they are', () => {
    const untranslated = Object.entries(zh).filter(([key, text]) => text === en[key as keyof typeof en] && /[a-z]{3,} [a-z]{3,}/.test(text))
    expect(untranslated).toEqual([])
  })
  it('are each used', () => {
    const files = (folder: string): string[] => readdirSync(folder, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? files(join(folder, it.name)) : it.name.startsWith('words.') ? [] : [join(folder, it.name)]))
    const source = files(join(import.meta.dirname, '..')).filter((file) => !/words\/(en|zh)\.ts$/.test(file)).map((file) => readFileSync(file, 'utf8')).join('\n')
    // Keys that are put together from what the server says: `verdict.${it}`.
    const families = [...source.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)*\.)\$\{/g)].map((found) => found[1] ?? '')
    const unused = Object.keys(en).filter((key) => !source.includes(`'${key}'`) && !families.some((family) => key.startsWith(family)))
    expect(unused).toEqual([])
  })
})
