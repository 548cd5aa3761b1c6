// Address pools: which addresses there are, and whose they are.
import { Progress, Table } from 'antd'
import { ApiError } from '../api/client'
import { usePools, type Pool } from '../api/console'
import { Card, Loading, Nothing, Page, Trouble } from '../parts/basics'
import { Command } from '../parts/command'
import { useWords } from '../words'

const DRAWN = 256

export function Pools() {
  const { t } = useWords()
  const { data, error, refetch } = usePools()
  return (
    <Page title={t('pools.title')} about={t('pools.about')} crumbs={[{ text: t('nav.platform') }]} actions={<Command text="paifang up --pool 192.168.0.91-192.168.0.100" />}>
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
  const drawn = Math.min(pool.total, DRAWN)
  return (
    <Card title={pool.name} extra={<span className="mono soft wrap">{pool.ranges.join(', ')}</span>}>
      <div className="stack">
        <div className="row">
          <b>{t('pools.used', { used: pool.used, total: pool.total })}</b>
          <Progress style={{ flex: '1 1 200px' }} percent={pool.total ? Math.round((pool.used / pool.total) * 100) : 0} showInfo={false} aria-label={t('pools.used', { used: pool.used, total: pool.total })} strokeColor="var(--jade)" />
        </div>
        <div className="usage" aria-hidden>
          {Array.from({ length: drawn }, (_, index) => (
            <i key={index} className={index < (pool.used * drawn) / Math.max(1, pool.total) ? 'used' : ''} />
          ))}
        </div>
        <Table rowKey="address" size="small" pagination={pool.owners.length > 20 ? { pageSize: 20 } : false} dataSource={pool.owners} scroll={{ x: 'max-content' }} locale={{ emptyText: t(pool.used > 0 ? 'pools.hidden' : 'pools.free') }} columns={[{ title: t('gateway.address'), render: (_, it) => <code>{it.address}</code> }, { title: t('pools.owner'), render: (_, it) => `${it.kind} ${it.namespace}/${it.name}` }]} />
      </div>
    </Card>
  )
}
