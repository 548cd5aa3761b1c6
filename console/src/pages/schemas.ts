// The API's own description of a kind, for completion and for what it does not know.
import { useMemo } from 'react'
import { useQuery } from '@tanstack/react-query'
import { ask } from '../api/client'
import type { Kind } from '../api/kinds'
import { schemasOf, type Schemas } from '../forms/schema'

export function useSchemas({ group, version, kind }: Kind): Schemas | null {
  const path = group ? `/openapi/v3/apis/${group}/${version}` : `/openapi/v3/api/${version}`
  const { data } = useQuery({ queryKey: ['openapi', path], queryFn: () => ask<Parameters<typeof schemasOf>[0]>(path), staleTime: Infinity, retry: false })
  return useMemo(() => (data ? schemasOf(data, group, version, kind) : null), [data, group, version, kind])
}
