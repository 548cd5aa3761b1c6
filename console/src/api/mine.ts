// Where who is signed in is a member; what they see of the platform follows from it.
import { useQuery } from '@tanstack/react-query'
import { ApiError } from './client'
import { KINDS } from './kinds'
import { useLive } from './live'
import { get } from './objects'
import { useMay } from './rights'
import { useSession } from './session'
import type { Obj, Place, User } from './types'
import { aliasOf } from '../forms/names'

export const WORKSPACE_LABEL = 'kubesphere.io/workspace'

/** One's own User; `null` for who is none, as an administrator by certificate. */
async function own(user: string): Promise<User | null> {
  try {
    return await get<User>(KINDS.user, user)
  } catch (error) {
    if (error instanceof ApiError && [403, 404].includes(error.status)) return null
    throw error
  }
}

export interface Mine {
  projects: Place[]
  workspaces: Place[]
  /** Whether they see all projects, for they may list them. */
  all: boolean
  loading: boolean
}

export function useMine(): Mine {
  const { user } = useSession()
  const { data, isPending } = useQuery({ queryKey: ['mine', user], queryFn: () => own(user), refetchInterval: 15_000, enabled: user !== '' })
  const all = useMay('list', KINDS.namespace)
  const everywhere = useMay('list', KINDS.ingress)
  const sees = all === true && everywhere === true
  const namespaces = useLive<Obj>(KINDS.namespace, sees ? '' : undefined)
  const workspaces = useLive<Obj>(KINDS.workspace, sees ? '' : undefined)
  if (!sees) return { projects: data?.status?.projects ?? homeOf(user), workspaces: data?.status?.workspaces ?? [], all: false, loading: isPending || all === undefined }
  const place = (it: Obj): Place => ({ name: it.metadata.name, alias: aliasOf(it), workspace: it.metadata.labels?.[WORKSPACE_LABEL] ?? '', roles: [] })
  return { projects: namespaces.objects.filter(isProject).map(place), workspaces: workspaces.objects.map(place), all: true, loading: namespaces.loading }
}

/** A ServiceAccount is at home in a namespace; who else is no User here says themselves where they go. */
function homeOf(user: string): Place[] {
  const home = /^system:serviceaccount:([^:]+):/.exec(user)?.[1]
  return home ? [{ name: home, alias: '', workspace: '', roles: [] }] : []
}

/** A namespace that people work in: one of a workspace, or one that belongs to no system. */
const isProject = ({ metadata: { name, labels } }: Obj) => labels?.[WORKSPACE_LABEL] !== undefined || (name !== 'istio-system' && !/^(kube-|kubesphere-|paifang-|workspace-)/.test(name))
