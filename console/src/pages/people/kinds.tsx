// A cluster without Paifang's kinds of people: what that means there.
import { useQuery } from '@tanstack/react-query'
import { ApiError, ask } from '../../api/client'
import { useSession } from '../../api/session'
import { Code, Nothing } from '../../parts/basics'
import { useWords } from '../../words'

const GROUP = '/apis/paifang.dev/v1alpha1'
const KINDS = ['users', 'workspaces', 'projects']
const COMMAND = 'paifang crds | kubectl apply --server-side -f -'

/** Whether users, workspaces and projects are here; `undefined` while it is not known. */
export function usePeopleKinds(): boolean | undefined {
  const { mode } = useSession()
  const { data, error } = useQuery({
    queryKey: ['people-kinds'],
    queryFn: () => ask<{ resources?: { name: string }[] }>(GROUP),
    enabled: mode === 'cluster',
    retry: false,
    staleTime: 60_000,
  })
  if (mode === 'up') return true
  if (error instanceof ApiError) return error.status !== 404
  return data && KINDS.every((kind) => data.resources?.some((it) => it.name === kind))
}

export function NoPeople() {
  const { t } = useWords()
  return (
    <div className="card">
      <Nothing title={t('people.noKinds')}>{t('people.noKindsAbout')}</Nothing>
      <div className="stack tight" style={{ maxWidth: 640, margin: '0 auto', padding: '0 24px 40px' }}>
        <p className="soft">{t('people.noKindsMend')}</p>
        <Code>{COMMAND}</Code>
      </div>
    </div>
  )
}
