// The dialog about a user ↔ a User.
import type { User } from '../api/types'

export interface UserForm {
  name: string
  displayName: string
  email: string
  /** By which an issuer of OpenID Connect knows them. */
  identities: string[]
  /** Of the platform: bindings, and no part of the object. */
  roles: string[]
}

export const PLATFORM_ROLES = ['platform-admin', 'platform-self-provisioner']

export const readUser = (user: User | undefined): UserForm => ({
  name: user?.metadata.name ?? '',
  displayName: user?.spec.displayName ?? '',
  email: user?.spec.email ?? '',
  identities: user?.spec.identities ?? [],
  roles: (user?.status?.roles ?? []).filter((it) => PLATFORM_ROLES.includes(it)),
})

/** The object with what the form says; what it does not know stays. */
export function writeUser(onto: User, { displayName, email, identities }: UserForm): User {
  const { displayName: _, email: __, identities: ___, ...rest } = onto.spec
  return { ...onto, spec: { ...rest, ...(displayName.trim() && { displayName: displayName.trim() }), ...(email && { email }), ...(identities.length > 0 && { identities }) } }
}

export function newUser(form: UserForm): Omit<User, 'apiVersion' | 'kind'> {
  const { metadata, spec } = writeUser({ apiVersion: '', kind: '', metadata: { name: form.name }, spec: {} }, form)
  return { metadata, spec }
}
