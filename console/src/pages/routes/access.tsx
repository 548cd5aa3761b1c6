// How to visit a route of any kind, and where it breaks when that does not work.
import { Button, Table } from 'antd'
import { ExportOutlined } from '@ant-design/icons'
import type { Serving } from '../../api/console'
import type { Ingress } from '../../api/types'
import { Card, Code, Facts } from '../../parts/basics'
import { useWords } from '../../words'
import { portOf } from '../gateways/state'
import { addressesOf, isReached, lines, reaches, type Way } from './address'
import { TryElsewhere, Unable } from './unable'

/** `note`: why it is not reached. */
export type Shown = Way & { note?: string | undefined }

export function RouteAccess({ route, gateway }: { route: Ingress; gateway: Serving | undefined }) {
  const { t } = useWords()
  const fallback = addressesOf(route)[0] ?? ''
  const ways = reaches(route, gateway).map((reach) => ({ reach, gateway, fallback }))
  return <Access ways={ways.map((it) => ({ ...it, ...(!isReached(it) && { note: t('gateway.nowhere') }) }))} />
}

export function Access({ ways }: { ways: Shown[] }) {
  const { t } = useWords()
  const gateways = gatewaysOf(ways)
  return (
    <div className="stack">
      <Card title={t('access.title')} bare>
        <Table
          rowKey={(it) => `${it.gateway?.name ?? ''} ${it.reach.host} ${it.reach.pathType} ${it.reach.path}`}
          dataSource={ways}
          pagination={false}
          columns={[
            { title: t('rules.host'), render: (_, it) => <Small way={it} />, responsive: ['xs'] },
            { title: t('rules.host'), render: (_, it) => <Host way={it} />, responsive: ['sm'] },
            { title: t('rules.path'), render: (_, it) => <code className="wrap">{it.reach.path || '—'}</code>, responsive: ['sm'] },
            { title: t('gateway.access'), render: (_, it) => it.gateway?.type ?? '—', responsive: ['sm'] },
            { title: t('access.portIp'), render: (_, it) => <span className="mono">{portIp(it)}</span>, responsive: ['sm'] },
            { title: t('access.nodes'), render: (_, it) => <span className="mono wrap">{it.gateway?.nodes.join(', ') || '—'}</span>, responsive: ['sm'] },
            { title: <span className="hidden">{t('access.visit')}</span>, align: 'right', render: (_, it) => it.reach.url && isReached(it) && <Visit url={it.reach.url} />, responsive: ['sm'] },
          ]}
        />
      </Card>
      <ByHand ways={ways} />
      {gateways.map(({ isGatewayApi, ...it }) => {
        const Check = isGatewayApi ? TryElsewhere : Unable
        return <Check key={`${it.gateway.namespace}/${it.gateway.name}`} {...it} named={gateways.length > 1} />
      })}
    </div>
  )
}

interface Visited {
  gateway: Serving
  urls: string[]
  isGatewayApi: boolean
}

/** Each gateway that has some of it, with what is visited there. */
function gatewaysOf(ways: Shown[]): Visited[] {
  const by = new Map<string, Visited>()
  for (const { gateway, reach, isGatewayApi = false } of ways) {
    if (!gateway) continue
    const key = `${gateway.namespace}/${gateway.name}`
    const one = by.get(key) ?? { gateway, urls: [], isGatewayApi }
    by.set(key, one)
    if (reach.url && !one.urls.includes(reach.url)) one.urls.push(reach.url)
  }
  return [...by.values()]
}

/** As many commands are shown: the others are like them. */
const MOST = 6

/** A line for a hosts file, and commands that need none. */
function ByHand({ ways }: { ways: Shown[] }) {
  const { t } = useWords()
  const all = ways.filter((it) => it.reach.url && isReached(it)).map(({ reach, gateway, fallback }) => lines(reach, gateway, fallback))
  const hosts = [...new Set(all.map((it) => it.hosts))].filter(Boolean)
  const commands = [...new Set(all.map((it) => it.curl))].slice(0, MOST)
  if (commands.length === 0) return null
  return (
    <Card title={t('access.byHand')}>
      <div className="stack">
        {hosts.length > 0 && (
          <div className="field">
            <span className="label">{t('access.hostsFile')}</span>
            <Code>{hosts.join('\n')}</Code>
          </div>
        )}
        <div className="field">
          <span className="label">{t('access.curl')}</span>
          {commands.map((it) => <Code key={it}>{it}</Code>)}
        </div>
      </div>
    </Card>
  )
}

const Visit = ({ url }: { url: string }) => {
  const { t } = useWords()
  return (
    <Button type="primary" ghost href={url} target="_blank" rel="noreferrer" icon={<ExportOutlined aria-hidden />}>
      {t('access.visit')}
    </Button>
  )
}

function Host({ way: { reach, note } }: { way: Shown }) {
  const { t } = useWords()
  return (
    <>
      <b className="wrap">{reach.host || t('routes.anyHost')}</b>
      {note && <Because>{note}</Because>}
    </>
  )
}

/** Why it is not reached. */
const Because = ({ children }: { children: string }) => <div className="wrap" style={{ color: 'var(--warn)' }}>{children}</div>

const STANDARD = { http: 80, https: 443 }

/** A node's port, or an address of its own, with the port where that is not the usual one. */
function portIp({ reach: { protocol }, gateway, fallback }: Way): string {
  const port = gateway && portOf(gateway, protocol)
  if (gateway?.type === 'NodePort') return port ? String(port) : '—'
  const address = gateway?.addresses.join(', ') || fallback
  return address ? `${address}${port && port !== STANDARD[protocol] ? ` : ${port}` : ''}` : '—'
}

/** All of a row, where there is no room for columns. */
function Small({ way }: { way: Shown }) {
  const { t } = useWords()
  const { reach, gateway, note } = way
  return (
    <div className="stack tight">
      <span>
        <b className="wrap">{reach.host || t('routes.anyHost')}</b> <code className="wrap">{reach.path}</code>
      </span>
      {note && <Because>{note}</Because>}
      <Facts of={[[t('gateway.access'), gateway?.type], [t('access.portIp'), <span className="mono">{portIp(way)}</span>], [t('access.nodes'), <span className="mono">{gateway?.nodes.join(', ')}</span>]]} />
      {reach.url && isReached(way) && <Visit url={reach.url} />}
    </div>
  )
}
