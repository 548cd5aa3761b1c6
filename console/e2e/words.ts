import type en from '../src/words/en'

export type Language = 'en' | 'zh'
export type WordKey = keyof typeof en
export const LANGUAGES: Language[] = ['en', 'zh']
export const fill = (text: string, values: Record<string, string | number>) => text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
