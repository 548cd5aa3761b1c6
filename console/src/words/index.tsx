// What the application says, in the language that was chosen. Each language is loaded when it is used.
import { createContext, use, type ReactNode } from 'react'
import type { Locale } from 'antd/es/locale'
import type en from './en'

export type WordKey = keyof typeof en
export type Language = 'en' | 'zh'
export type Words = Record<WordKey, string>
export type Values = Record<string, string | number>

export interface Speech {
  language: Language
  words: Words
  antd: Locale
}

const KEPT = 'paifang.language'

export function preferred(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === 'en' || kept === 'zh') return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

export const prefer = (language: Language) => localStorage.setItem(KEPT, language)

export async function load(language: Language): Promise<Speech> {
  const pack = language === 'zh' ? await import('./pack.zh') : await import('./pack.en')
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  return { language, words: pack.words, antd: pack.antd }
}

const SpeechContext = createContext<Speech | null>(null)

export const SpeechProvider = ({ speech, children }: { speech: Speech; children: ReactNode }) => <SpeechContext value={speech}>{children}</SpeechContext>

export type Say = (key: WordKey, values?: Values) => string

export const fill = (text: string, values: Values = {}) => text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))

export interface Speaking {
  t: Say
  language: Language
  /** A word for something the server names, or what it was called. */
  maybe: (key: string, otherwise: string, values?: Values) => string
}

export function useWords(): Speaking {
  const { words, language } = useSpeech()
  return {
    language,
    t: (key, values) => fill(words[key], values),
    maybe: (key, otherwise, values) => (key in words ? fill(words[key as WordKey], values) : otherwise),
  }
}

export function useSpeech(): Speech {
  const speech = use(SpeechContext)
  if (!speech) throw new Error('words are used below SpeechProvider')
  return speech
}
