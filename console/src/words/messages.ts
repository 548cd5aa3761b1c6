// What the server says in English, in the language that was chosen.
import { useSyncExternalStore } from 'react'
import { useWords, type Language } from '.'

/** What has no translation stays as the server said it, whole. */
export type Tell = (text: string | undefined) => string

interface Messages {
  /** Of conditions, events and refusals. */
  sentence: Tell
  /** Of what is done with a request on its way. */
  step: Tell
}

const asItIs: Tell = (text = '') => text
const ENGLISH: Messages = { sentence: asItIs, step: asItIs }

let chinese = ENGLISH
let asked: Promise<void> | undefined
const listeners = new Set<() => void>()

function loadChinese() {
  asked ??= import('./messages/messages.zh').then(
    (loaded) => {
      chinese = { sentence: (text = '') => loaded.chinese(text) ?? text, step: (text = '') => loaded.step(text) ?? text }
      listeners.forEach((then) => then())
    },
    // It is tried again when something else is said.
    () => void (asked = undefined),
  )
}

const listen = (then: () => void) => {
  listeners.add(then)
  return () => void listeners.delete(then)
}

function useMessages(): Messages {
  const { language } = useWords()
  const loaded = useSyncExternalStore(listen, () => chinese)
  if (language === 'zh') loadChinese()
  return messagesOf(language, loaded)
}

const messagesOf = (language: Language, loaded: Messages) => (language === 'zh' ? loaded : ENGLISH)

/** Who uses it is drawn again when the sentences have been loaded. */
export const useTell = (): Tell => useMessages().sentence
export const useTellStep = (): Tell => useMessages().step

/** What is searched for by: the server's own words, where others are shown. */
export const original = (text: string | undefined, shown: string) => (text && !shown.includes(text) ? { title: text } : {})
