// Who is signed in.
import { useQuery } from '@tanstack/react-query'
import { ApiError, ask, holdCsrf } from './client'
import { client, forget } from './live'

export interface Session {
  user: string
  displayName: string
  csrf: string
  expires: string
  mode: 'up' | 'cluster'
  version?: string
  pool?: boolean
}

const KEY = ['session']

/** `null`: nobody. */
async function read(): Promise<Session | null> {
  try {
    const session = await ask<Session>('/console/session')
    holdCsrf(session.csrf)
    return session
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null
    throw error
  }
}

export const readSession = () => client.fetchQuery({ queryKey: KEY, queryFn: read, staleTime: Infinity })

/** Of pages behind the sign-in. */
export function useSession(): Session {
  const { data } = useQuery({ queryKey: KEY, queryFn: read, staleTime: Infinity })
  return data ?? NOBODY
}

const NOBODY: Session = { user: '', displayName: '', csrf: '', expires: '', mode: 'up' }

/** How one may sign in here: `enabled` is about the issuer called `name`. */
export interface Ways {
  enabled: boolean
  name: string
  passwords: boolean
  tokens: boolean
}

export const useWays = () => useQuery({ queryKey: ['ways'], queryFn: () => ask<Ways>('/console/oidc'), retry: false, staleTime: Infinity })

export const signIn = (username: string, password: string, newPassword?: string) => begin(newPassword ? { username, password, newPassword } : { username, password })
export const signInWithToken = (token: string) => begin({ token })

async function begin(body: Record<string, string>): Promise<void> {
  const session = await ask<Session>('/console/login', { method: 'POST', body })
  forget()
  holdCsrf(session.csrf)
  client.setQueryData(KEY, session)
}

export async function signOut(): Promise<void> {
  await ask('/console/logout', { method: 'POST', body: {} }).catch(() => undefined)
  forget()
  client.setQueryData(KEY, null)
}

export function endSession() {
  if (!client.getQueryData(KEY)) return false
  forget()
  client.setQueryData(KEY, null)
  return true
}
