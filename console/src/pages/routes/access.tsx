// How to visit a route, and where it breaks when that does not work.
import { Button, Table } from 'antd'
import { ExportOutlined } from '@ant-design/icons'
import type { Serving } from '../../api/console'
import type { Ingress } from '../../api/types'
import { Card, Code, Facts } from '../../parts/basics'
import { useWords } from '../../words'
import { portOf } from '../gateways/state'
import { addressesOf, lines, reaches, type Reach } from './address'
import { Unable } from './unable'

export function Access({ route, gateway }: { route: Ingress; gateway: Serving | undefined }) {
  const { t } = useWords()
  const all = reaches(route, gateway)
  const fallback = addressesOf(route)[0] ?? ''
  const hosts = [...new Set(all.filter((it) => it.host).map((it) => lines(it, gateway, fallback).hosts))].filter(Boolean)
  return (
    <div className="stack">
      <Card title={t('access.title')} bare>
        <Table
          rowKey={(it) => `${it.host} ${it.path}`}
          dataSource={all}
          pagination={false}
          columns={[
            { title: t('rules.host'), render: (_, it) => <Small reach={it} gateway={gateway} fallback={fallback} />, responsive: ['xs'] },
            { title: t('rules.host'), render: (_, it) => <b className="wrap">{it.host || t('routes.anyHost')}</b>, responsive: ['sm'] },
            { title: t('rules.path'), render: (_, it) => <code className="wrap">{it.path}</code>, responsive: ['sm'] },
            { title: t('gateway.access'), render: () => gateway?.type ?? '—', responsive: ['sm'] },
            { title: t('access.portIp'), render: (_, it) => <span className="mono">{portIp(it, gateway, fallback)}</span>, responsive: ['sm'] },
            { title: t('access.nodes'), render: () => <span className="mono wrap">{gateway?.nodes.join(', ') || '—'}</span>, responsive: ['sm'] },
            { title: <span className="hidden">{t('access.visit')}</span>, align: 'right', render: (_, it) => it.url && <Visit reach={it} />, responsive: ['sm'] },
          ]}
        />
      </Card>
      {all[0] && (
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
              {all.filter((it) => it.url).slice(0, 6).map((it) => <Code key={`${it.host}${it.path}`}>{lines(it, gateway, fallback).curl}</Code>)}
            </div>
          </div>
        </Card>
      )}
      {gateway && <Unable gateway={gateway} urls={all.map((it) => it.url).filter(Boolean)} />}
    </div>
  )
}

const Visit = ({ reach }: { reach: Reach }) => {
  const { t } = useWords()
  return (
    <Button type="primary" ghost href={reach.url} target="_blank" rel="noreferrer" icon={<ExportOutlined />}>
      {t('access.visit')}
    </Button>
  )
}

const STANDARD = { http: 80, https: 443 }

/** A node's port, or an address of its own, with the port where that is not the usual one. */
function portIp({ protocol }: Reach, gateway: Serving | undefined, fallback: string): string {
  const port = gateway && portOf(gateway, protocol)
  if (gateway?.type === 'NodePort') return port ? String(port) : '—'
  const address = gateway?.addresses.join(', ') || fallback
  return address ? `${address}${port && port !== STANDARD[protocol] ? ` : ${port}` : ''}` : '—'
}

/** All of a row, where there is no room for columns. */
function Small({ reach, gateway, fallback }: { reach: Reach; gateway: Serving | undefined; fallback: string }) {
  const { t } = useWords()
  return (
    <div className="stack tight">
      <span>
        <b className="wrap">{reach.host || t('routes.anyHost')}</b> <code className="wrap">{reach.path}</code>
      </span>
      <Facts of={[[t('gateway.access'), gateway?.type], [t('access.portIp'), <span className="mono">{portIp(reach, gateway, fallback)}</span>], [t('access.nodes'), <span className="mono">{gateway?.nodes.join(', ')}</span>]]} />
      {reach.url && <Visit reach={reach} />}
    </div>
  )
}
