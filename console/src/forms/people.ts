// Which objects inviting and removing people writes: the same as `paifang invite`.
import type { RoleBinding } from '../api/types'

const RBAC = 'rbac.authorization.k8s.io'

export function invitation(namespace: string, user: string, role: string): Omit<RoleBinding, 'apiVersion' | 'kind'> {
  return {
    metadata: { name: `${user}:${role}`, namespace },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: role },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: user }],
  }
}

/** The binding without that user; `null` when nobody is left; the same where they were not in it. */
export function withoutMember(binding: RoleBinding, user: string): RoleBinding | null {
  const left = (binding.subjects ?? []).filter((it) => !(it.kind === 'User' && it.name === user))
  if (left.length === (binding.subjects ?? []).length) return binding
  return left.length > 0 ? { ...binding, subjects: left } : null
}
