// What the server says in English, in the language that was chosen.
import { useSyncExternalStore } from 'react'
import { useWords, type Language } from '.'

type Chinese = (text: string) => string | undefined

let chinese: Chinese | undefined
let asked: Promise<void> | undefined
const listeners = new Set<() => void>()

/** What has no translation stays as the server said it, whole. */
export type Tell = (text: string | undefined) => string

const english: Tell = (text = '') => text
let told: Tell = english

export function loadMessages(language: Language): Promise<void> | undefined {
  if (language !== 'zh') return undefined
  asked ??= import('./messages/messages.zh').then(
    (loaded) => {
      chinese = loaded.chinese
      told = (text = '') => chinese?.(text) ?? text
      listeners.forEach((then) => then())
    },
    () => void (asked = undefined),
  )
  return asked
}

/** For sentences inside of other words; once they are loaded, who uses this is drawn again. */
export function useTell(): Tell {
  const { language } = useWords()
  const tell = useSyncExternalStore((then) => (listeners.add(then), () => void listeners.delete(then)), () => told)
  void loadMessages(language)
  return language === 'zh' ? tell : english
}

/** What is searched for by: the server's own words, where others are shown. */
export const original = (text: string | undefined, shown: string) => (text && !shown.includes(text) ? { title: text } : {})
