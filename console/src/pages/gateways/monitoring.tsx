// What a gateway has done of late: by numbers, and as lines over time.
import { lazy, Suspense, useState } from 'react'
import { Segmented, Select } from 'antd'
import { ApiError } from '../../api/client'
import { useMetrics, type Metrics, type Window } from '../../api/console'
import { Card, Loading, Trouble } from '../../parts/basics'
import { useWords } from '../../words'
import { Elsewhere } from './elsewhere'
import { Without } from './without'
import { bytes, eachMillisecond, milliseconds, perCent } from './numbers'

const Chart = lazy(() => import('../../parts/chart'))
const WINDOWS: Window[] = ['5m', '15m', '30m', '1h']
const EVERY = [5, 10, 20, 0]

export function Monitoring({ namespace, name }: { namespace: string; name: string }) {
  const { t } = useWords()
  const [window, setWindow] = useState<Window>('15m')
  const [every, setEvery] = useState(5)
  const { data, error, refetch } = useMetrics(namespace, name, window, every > 0 && every * 1000)
  if (error instanceof ApiError && [404, 501].includes(error.status))
    return <Elsewhere title={t('monitoring.none')} about={t('monitoring.noneAbout')} refusal={error} />
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading />
  return (
    <div className="stack">
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <Segmented aria-label={t('monitoring.window')} options={WINDOWS.map((value) => ({ value, label: t(`window.${value}`) }))} value={window} onChange={setWindow} />
        <span className="row">
          <span className="soft">{t('monitoring.every')}</span>
          <Select aria-label={t('monitoring.every')} value={every} onChange={setEvery} options={EVERY.map((value) => ({ value, label: value > 0 ? t('monitoring.seconds', { n: value }) : t('monitoring.never') }))} style={{ minWidth: 90 }} />
        </span>
      </div>
      <Without pods={data.pods} />
      <Tiles metrics={data} />
      <Suspense fallback={<Loading />}>
        <Charts metrics={data} />
      </Suspense>
    </div>
  )
}

function Tiles({ metrics: { total, points } }: { metrics: Metrics }) {
  const { t } = useWords()
  const tiles: [string, string, string?][] = [
    [t('monitoring.requests'), total.requests.toLocaleString()],
    [t('monitoring.success'), perCent(total.requests - total.s4xx - total.s5xx, total.requests)],
    ['4xx / 5xx', `${total.s4xx} / ${total.s5xx}`],
    [t('monitoring.connections'), String(points.at(-1)?.connections ?? total.connections)],
    [t('monitoring.mean'), milliseconds(total.mean)],
    ['P50 / P95 / P99', eachMillisecond([total.p50, total.p95, total.p99])],
    [t('monitoring.in'), bytes(total.bytesIn)],
    [t('monitoring.out'), bytes(total.bytesOut)],
  ]
  return (
    <div className="grid tiles">
      {tiles.map(([title, value]) => (
        <div key={title} className="card tile">
          <div className="name">{title}</div>
          <div className="value" style={value.length > 14 ? { fontSize: 'clamp(14px, 1.6vw, 18px)', lineHeight: '34px' } : {}}>
            {value}
          </div>
        </div>
      ))}
    </div>
  )
}

function Charts({ metrics: { points, step } }: { metrics: Metrics }) {
  const { t } = useWords()
  const at = points.map((it) => it.at)
  const rate = (count: number) => count / step
  return (
    <div className="palette charts">
      <Card title={t('monitoring.perSecond')}>
        <Chart label={t('monitoring.perSecond')} at={at} lines={[{ name: '2xx', tone: 'good', values: points.map((it) => rate(it.s2xx)) }, { name: '3xx', tone: 'quiet', values: points.map((it) => rate(it.s3xx)) }]} />
      </Card>
      <Card title={t('monitoring.failed')}>
        <Chart label={t('monitoring.failed')} at={at} lines={[{ name: '4xx', tone: 'warn', values: points.map((it) => rate(it.s4xx)) }, { name: '5xx', tone: 'bad', values: points.map((it) => rate(it.s5xx)) }]} />
      </Card>
      <Card title={t('monitoring.latency')}>
        <Chart label={t('monitoring.latency')} at={at} show={milliseconds} lines={[{ name: 'P50', tone: 'good', values: points.map((it) => it.p50) }, { name: 'P95', tone: 'warn', values: points.map((it) => it.p95) }, { name: 'P99', tone: 'bad', values: points.map((it) => it.p99) }, { name: t('monitoring.mean'), tone: 'quiet', values: points.map((it) => it.mean) }]} />
      </Card>
      <Card title={t('monitoring.connections')}>
        <Chart label={t('monitoring.connections')} at={at} lines={[{ name: t('monitoring.connections'), tone: 'good', values: points.map((it) => it.connections) }]} />
      </Card>
      <Card title={t('monitoring.traffic')}>
        <Chart label={t('monitoring.traffic')} at={at} show={(value) => (value === null ? '—' : `${bytes(value)}/s`)} lines={[{ name: t('monitoring.in'), tone: 'good', values: points.map((it) => rate(it.bytesIn)) }, { name: t('monitoring.out'), tone: 'warn', values: points.map((it) => rate(it.bytesOut)) }]} />
      </Card>
    </div>
  )
}
