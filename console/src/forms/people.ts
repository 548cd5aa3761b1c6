// Which objects inviting and removing people writes: the same as `paifang invite`.
import type { RoleBinding } from '../api/types'
import { isName } from './names'

const RBAC = 'rbac.authorization.k8s.io'
const KEPT = 'paifang.dev/kept-for'

/** Whether a controller keeps it: nobody else's to change. */
export const isKept = (binding: Pick<RoleBinding, 'metadata'>) => binding.metadata.labels?.[KEPT] !== undefined

export const isUserName = (text: string) => text.split('.').every(isName)

export const has = (binding: RoleBinding, user: string) => (binding.subjects ?? []).some((it) => it.kind === 'User' && it.name === user)

export interface Member extends RoleBinding {
  member: string
  subject: string
  inherited: boolean
}

/** One row for each subject, named apart so that each has a key of its own. */
export function membersOf(binding: RoleBinding): Member[] {
  const inherited = isKept(binding)
  return (binding.subjects ?? []).map((subject) => ({ ...binding, metadata: { ...binding.metadata, name: `${subject.name} ${binding.metadata.name}` }, member: subject.name, subject: subject.kind, inherited }))
}

export function invitation(namespace: string, user: string, role: string): Omit<RoleBinding, 'apiVersion' | 'kind'> {
  return {
    metadata: { name: `${user}:${role}`, namespace },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: role },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: user }],
  }
}

/** The same for the whole platform. */
export function platformInvitation(user: string, role: string): Omit<RoleBinding, 'apiVersion' | 'kind'> {
  const { metadata, subjects, roleRef } = invitation('', user, role)
  return { metadata: { name: metadata.name }, roleRef: { ...roleRef, kind: 'ClusterRole' }, subjects: subjects ?? [] }
}

/** The binding without that user; `null` when nobody is left; the same where they were not in it. */
export function withoutMember(binding: RoleBinding, user: string): RoleBinding | null {
  const left = (binding.subjects ?? []).filter((it) => !(it.kind === 'User' && it.name === user))
  if (left.length === (binding.subjects ?? []).length) return binding
  return left.length > 0 ? { ...binding, subjects: left } : null
}
