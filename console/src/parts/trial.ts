// What the API says to what a form holds, before it is saved: a dry run that follows the typing.
import { useEffect, useState } from 'react'
import { ApiError } from '../api/client'
import type { Kind } from '../api/kinds'
import { attempt } from '../api/objects'
import type { Obj } from '../api/types'

const PAUSE = 400

export interface Said {
  field: string
  text: string
}

/** `spec.config[key]: text`, as warnings have it. */
export function readSaid(warning: string): Said {
  const found = /^([\w.]+(?:\[[^\]]*\])*(?:\.[\w.]+)*): ([\s\S]*)$/.exec(warning)
  return found ? { field: found[1] ?? '', text: found[2] ?? '' } : { field: '', text: warning }
}

const ofRefusal = (error: unknown): Said[] => (error instanceof ApiError ? error.causes.map((it) => ({ field: it.field ?? '', text: it.message ?? '' })) : [])

/** What is said of each field; nothing while `edited` is `null`, for it is known to be wrong. */
export function useTrial<T extends Obj>(kind: Kind, read: T | undefined, edited: Omit<T, 'apiVersion' | 'kind'> | null): Said[] {
  const [said, setSaid] = useState<Said[]>([])
  const text = edited && JSON.stringify(edited)
  useEffect(() => {
    if (!text) return setSaid([])
    const ending = new AbortController()
    const timer = setTimeout(() => {
      attempt<T>(kind, read, JSON.parse(text) as T, ending.signal)
        .then(({ warnings }) => setSaid(warnings.map(readSaid)))
        .catch((error: unknown) => ending.signal.aborted || setSaid(ofRefusal(error)))
    }, PAUSE)
    return () => {
      clearTimeout(timer)
      ending.abort()
    }
    // What is read changes with each status; the text of the edit says whether anything is to be tried again.
  }, [kind, text])
  return said
}

/** What is said of one field. */
export const saidOf = (said: Said[], field: string) => said.find((it) => it.field === field)?.text
