// What is around every page: words, colours, the cache, the router.
import { useEffect, useState } from 'react'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { onSessionEnd, onWarning } from './api/client'
import { client } from './api/live'
import { endSession } from './api/session'
import { say, Toasts } from './parts/toasts'
import { router } from './router'
import { LanguageContext } from './shell/language'
import { Themed } from './shell/theme'
import { load, prefer, preferred, SpeechProvider, type Language, type Speech } from './words'

onWarning((text) => say(text, 'warn'))
onSessionEnd(() => {
  if (endSession()) void router.navigate({ to: '/sign-in', search: { return: location.pathname, reason: 'ended' } })
})

export function App() {
  const [language, setLanguage] = useState<Language>(preferred)
  const [speech, setSpeech] = useState<Speech | null>(null)
  useEffect(() => void load(language).then(setSpeech), [language])
  const choose = (next: Language) => {
    prefer(next)
    setLanguage(next)
  }
  if (!speech) return null
  return (
    <LanguageContext value={choose}>
      <SpeechProvider speech={speech}>
        <Themed>
          <QueryClientProvider client={client}>
            <RouterProvider router={router} />
            <Toasts />
          </QueryClientProvider>
        </Themed>
      </SpeechProvider>
    </LanguageContext>
  )
}
