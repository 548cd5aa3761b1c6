// What who is signed in may do: decides which controls are there. The API decides what happens.
import { useQuery } from '@tanstack/react-query'
import { ask } from './client'
import type { Kind } from './kinds'

interface Rule {
  verbs: string[]
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete'
export interface Rights {
  /** Undecided while it is being asked: then nothing is offered. */
  known: boolean
  can: (verb: Verb, kind: Kind, name?: string) => boolean
}

export function allows(rules: Rule[], verb: string, group: string, resource: string, name?: string): boolean {
  const has = (list: string[] | undefined, word: string) => (list ?? []).some((it) => it === '*' || it === word)
  const named = (rule: Rule) => !rule.resourceNames?.length || (name !== undefined && rule.resourceNames.includes(name))
  return rules.some((rule) => has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, resource) && named(rule))
}

const REVIEWS = '/apis/authorization.k8s.io/v1'

/** In a namespace. */
export function useRights(namespace: string): Rights {
  const { data } = useQuery({
    queryKey: ['rights', namespace],
    queryFn: () => ask<{ status: { resourceRules: Rule[] } }>(`${REVIEWS}/selfsubjectrulesreviews`, { method: 'POST', body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } } }),
    enabled: namespace !== '',
    refetchInterval: 60_000,
  })
  const rules = data?.status.resourceRules ?? []
  return { known: data !== undefined, can: (verb, kind, name) => allows(rules, verb, kind.group, kind.plural, name) }
}

/** One right, in all namespaces or of something that is in none. */
export const mayQuery = (verb: Verb, kind: Kind, namespace = '', name = '') => ({
  queryKey: ['may', verb, kind.group, kind.plural, namespace, name],
  queryFn: async () => {
    const resourceAttributes = { verb, group: kind.group, resource: kind.plural, ...(namespace && { namespace }), ...(name && { name }) }
    const { status } = await ask<{ status: { allowed: boolean } }>(`${REVIEWS}/selfsubjectaccessreviews`, { method: 'POST', body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } } })
    return status.allowed
  },
})

export const useMay = (verb: Verb, kind: Kind, namespace = '', name = ''): boolean | undefined => useQuery({ ...mayQuery(verb, kind, namespace, name), refetchInterval: 60_000 }).data
