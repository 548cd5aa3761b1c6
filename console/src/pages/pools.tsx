// Address pools: which addresses there are, and whose they are.
import { useMemo } from 'react'
import { Progress, Table } from 'antd'
import { ApiError } from '../api/client'
import { usePools, type Pool } from '../api/console'
import { Card, Loading, Nothing, Page, Trouble } from '../parts/basics'
import { Command } from '../parts/command'
import { addressesOf } from '../forms/addresses'
import { useWords } from '../words'
import { ObjectLink } from './object'

const DRAWN = 256
type Owners = Map<string, Pool['owners']>

export function Pools() {
  const { t } = useWords()
  const { data, error, refetch } = usePools()
  return (
    <Page title={t('pools.title')} about={t('pools.about')} crumbs={[{ text: t('nav.cluster') }]} actions={<Command text="paifang up --pool 192.168.0.91-192.168.0.100" />}>
      <div className="stack">
        {error && !(error instanceof ApiError && [404, 501].includes(error.status)) ? (
          <Trouble error={error} onRetry={() => void refetch()} />
        ) : !data && !error ? (
          <Loading />
        ) : !data?.pools.length ? (
          <div className="card">
            <Nothing title={t('pools.none')}>{t('pools.noneAbout')}</Nothing>
          </div>
        ) : (
          data.pools.map((pool) => <PoolCard key={pool.name} pool={pool} />)
        )}
      </div>
    </Page>
  )
}

function PoolCard({ pool }: { pool: Pool }) {
  const { t } = useWords()
  const used = t('pools.used', { used: pool.used, total: pool.total })
  const owners = useMemo(() => byAddress(pool.owners), [pool.owners])
  return (
    <Card title={pool.name} extra={<span className="mono soft wrap">{pool.ranges.join(', ')}</span>}>
      <div className="stack">
        <div className="row">
          <b>{used}</b>
          <Progress style={{ flex: '1 1 200px' }} percent={pool.total ? Math.round((pool.used / pool.total) * 100) : 0} showInfo={false} aria-label={used} strokeColor="var(--jade)" railColor="var(--sunken)" />
        </div>
        <UsageMap pool={pool} owners={owners} />
        <Table rowKey="0" size="small" pagination={owners.size > 20 ? { pageSize: 20 } : false} dataSource={[...owners]} locale={{ emptyText: t(pool.used > 0 ? 'pools.hidden' : 'pools.free') }} columns={[{ title: t('hop.address'), width: 160, render: (_, [address]) => <code>{address}</code> }, { title: t('pools.owner'), render: (_, [, of]) => of.map((it) => <div key={`${it.kind} ${it.namespace}/${it.name}`}><ObjectLink of={it} /></div>) }]} />
        {owners.size > 0 && owners.size < pool.used && <p className="faint">{t('pools.others', { n: pool.used - owners.size })}</p>}
      </div>
    </Card>
  )
}

/** A square for each address, where they can be counted; else as many as are in use. */
function UsageMap({ pool, owners }: { pool: Pool; owners: Owners }) {
  const { t } = useWords()
  const addresses = useMemo(() => addressesOf(pool.ranges, DRAWN), [pool.ranges])
  // Where some are hidden, nobody can say which are free.
  if (addresses === null || owners.size < pool.used) {
    const drawn = Math.min(pool.total, DRAWN)
    return (
      <div className="usage" aria-hidden>
        {Array.from({ length: drawn }, (_, index) => (
          <i key={index} className={index < (pool.used * drawn) / Math.max(1, pool.total) ? 'used' : ''} />
        ))}
      </div>
    )
  }
  return (
    <div className="usage" aria-hidden>
      {addresses.map((address) => (
        <i key={address} className={owners.has(address) ? 'used' : ''} title={`${address} · ${owners.get(address)?.map((it) => `${it.kind} ${it.namespace}/${it.name}`).join(', ') ?? t('pools.unused')}`} />
      ))}
    </div>
  )
}

/** Several may share an address, on ports of their own. */
function byAddress(owners: Pool['owners']): Owners {
  const all: Owners = new Map()
  for (const it of owners) all.set(it.address, [...(all.get(it.address) ?? []), it])
  return all
}
