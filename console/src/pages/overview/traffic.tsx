// What goes through the gateways, live: requests, errors, latency; and each gateway with how it is.
import { useMemo, type ReactNode } from 'react'
import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Metrics, Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { client } from '../../api/live'
import { metricsAt } from '../../api/metrics'
import { mayQuery } from '../../api/rights'
import type { IngressGateway } from '../../api/types'
import { Card, Nothing, State, type Tone } from '../../parts/basics'
import { Spark } from '../../parts/spark'
import { useWords } from '../../words'
import { milliseconds, perCent } from '../gateways/numbers'
import { gatewayState, scopeWord } from '../gateways/state'
import { sum } from './numbers'

const EVERY = 5_000
/** As many gateways are counted here: the others have their numbers on their pages. */
const MOST = 12

/** Nobody is asked for what they would refuse. */
async function numbersOf(it: Serving): Promise<Metrics | null> {
  const may = await client.fetchQuery(mayQuery('get', KINDS.ingressGateway, it.namespace, it.name))
  return may ? metricsAt(pathOf(it)) : null
}

const pathOf = ({ namespace, name }: Serving) => `/console/gateways/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/metrics?window=15m`

/** The numbers of each gateway, in their order; `null` where they are not to be had. */
export function useTraffic(serving: Serving[]): (Metrics | null)[] {
  return useQueries({
    queries: serving.slice(0, MOST).map((it) => ({ queryKey: ['traffic', it.namespace, it.name], queryFn: () => numbersOf(it), refetchInterval: ({ state }: { state: { status: string; data?: Metrics | null | undefined } }) => (state.status === 'error' || state.data === null ? (false as const) : EVERY), retry: false, staleTime: 1_000 })),
    combine: (answers) => answers.map(({ data }) => data ?? null),
  })
}

export function Traffic({ metrics }: { metrics: (Metrics | null)[] }) {
  const { t } = useWords()
  const all = useMemo(() => sum(metrics.filter((it) => it !== null)), [metrics])
  const { requests, s4xx, s5xx, p95 } = all.total
  const rate = all.requests.at(-1) ?? 0
  return (
    <Card title={<span className="row">{t('overview.traffic')} <span className="faint">{t('window.15m')}</span></span>} extra={<span className="live"><i aria-hidden />{t('overview.live')}</span>}>
      <div className="sparks">
        <Number name={t('monitoring.perSecond')} value={rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} under={t('overview.requests', { n: requests.toLocaleString() })}>
          <Spark label={t('monitoring.perSecond')} values={all.requests} tone="good" said={rate.toFixed(1)} />
        </Number>
        <Number name={t('monitoring.success')} value={perCent(requests - s4xx - s5xx, requests)} under={`4xx ${s4xx.toLocaleString()} · 5xx ${s5xx.toLocaleString()}`} tone={s5xx > 0 ? 'bad' : undefined}>
          <Spark label={t('monitoring.failed')} values={all.failed} tone={s5xx > 0 ? 'bad' : 'warn'} said={String(s4xx + s5xx)} />
        </Number>
        <Number name={`${t('monitoring.latency')} P95`} value={milliseconds(p95)} under={t('overview.connections', { n: all.connections })}>
          <Spark label={t('monitoring.latency')} values={all.p95} tone="quiet" said={milliseconds(p95)} />
        </Number>
      </div>
    </Card>
  )
}

function Number({ name, value, under, tone, children }: { name: string; value: string; under: string; tone?: Tone | undefined; children: ReactNode }) {
  return (
    <div className="number">
      <div className="faint">{name}</div>
      <div className={`value ${tone ?? ''}`}>{value}</div>
      {children}
      <div className="faint">{under}</div>
    </div>
  )
}

interface GatewaysProps {
  serving: Serving[]
  objects: readonly IngressGateway[]
  metrics: (Metrics | null)[]
  /** Where a gateway's page is. */
  at: (gateway: Serving) => string | undefined
  empty: ReactNode
}

export function Gateways({ serving, objects, metrics, at, empty }: GatewaysProps) {
  const { t } = useWords()
  if (serving.length === 0) return <Card title={t('overview.gateways')}><Nothing title={t('routes.noGateway')} action={empty} /></Card>
  return (
    <Card title={t('overview.gateways')} bare>
      <ul className="lines">
        {serving.map((it, index) => {
          const object = objects.find((one) => one.metadata.namespace === it.namespace && one.metadata.name === it.name)
          const to = at(it)
          const title = `${t(scopeWord(it.scope))}${it.scope === 'Cluster' ? '' : ` · ${it.namespace}`}`
          const numbers = metrics[index]
          return (
            <li key={`${it.namespace}/${it.name}`}>
              <span className="row" style={{ justifyContent: 'space-between' }}>
                {to ? <Link to={to} className="strong">{title}</Link> : <b>{title}</b>}
                <GatewayWord of={object} serving={it} />
              </span>
              <span className="faint mono">{it.addresses.join(', ') || '—'} · {it.ports.filter((port) => port.reachedAt).map((port) => `${port.name} ${port.reachedAt}`).join(' · ')}</span>
              {numbers && <span className="faint">{t('overview.requests', { n: numbers.total.requests.toLocaleString() })} · {perCent(numbers.total.requests - numbers.total.s4xx - numbers.total.s5xx, numbers.total.requests)}</span>}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

function GatewayWord({ of, serving }: { of: IngressGateway | undefined; serving: Serving }) {
  const { t } = useWords()
  if (!of) return serving.addresses.length > 0 ? <State tone="good">{t('gateway.running')}</State> : <State tone="warn">{t('gateway.pending')}</State>
  const { tone, word, message } = gatewayState(of)
  return <State tone={tone} {...(message && { title: message })}>{t(word)}</State>
}
