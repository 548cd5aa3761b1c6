// What has just happened, said once and to screen readers as well.
import { useSyncExternalStore } from 'react'
import { CloseOutlined } from '@ant-design/icons'
import { useWords } from '../words'
import { Said } from '../words/said'

type Tone = 'good' | 'warn' | 'bad'
interface Toast {
  id: number
  tone: Tone
  text: string
}

const LASTS = { good: 5_000, warn: 12_000, bad: 15_000 }
let toasts: readonly Toast[] = []
let next = 0
const listeners = new Set<() => void>()

function set(all: readonly Toast[]) {
  toasts = all
  listeners.forEach((listener) => listener())
}

const drop = (id: number) => set(toasts.filter((toast) => toast.id !== id))

export function say(text: string, tone: Tone = 'good') {
  if (toasts.some((toast) => toast.text === text)) return
  const id = ++next
  set([...toasts.slice(-3), { id, tone, text }])
  setTimeout(() => drop(id), LASTS[tone])
}

export function Toasts() {
  const all = useSyncExternalStore((then) => (listeners.add(then), () => void listeners.delete(then)), () => toasts)
  const { t } = useWords()
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map(({ id, tone, text }) => (
        <div key={id} className={`toast ${tone}`}>
          <div><Said of={text} /></div>
          <button onClick={() => drop(id)} aria-label={t('do.close')}>
            <CloseOutlined aria-hidden />
          </button>
        </div>
      ))}
    </div>
  )
}
