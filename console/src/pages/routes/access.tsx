// How to visit a route, and where it breaks when that does not work.
import { useState } from 'react'
import { Button, Table } from 'antd'
import { CheckCircleFilled, CloseCircleFilled, ExportOutlined, QuestionCircleFilled } from '@ant-design/icons'
import { check, type Hop, type Serving } from '../../api/console'
import type { Ingress } from '../../api/types'
import { Card, Code, Note, Trouble } from '../../parts/basics'
import { useDoing } from '../../parts/dialogs'
import { useWords } from '../../words'
import { addressesOf, lines, reaches, type Reach } from './address'

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
          scroll={{ x: 'max-content' }}
          columns={[
            { title: t('rules.host'), render: (_, it) => <b className="wrap">{it.host || t('routes.anyHost')}</b> },
            { title: t('rules.path'), render: (_, it) => <code>{it.path}</code> },
            { title: t('gateway.access'), render: () => gateway?.type ?? '—', responsive: ['md'] },
            { title: t('access.portIp'), render: () => <PortIp gateway={gateway} fallback={fallback} />, responsive: ['md'] },
            { title: t('access.nodes'), render: () => gateway?.nodes.join(', ') || '—', responsive: ['md'] },
            { title: <span className="hidden">{t('access.visit')}</span>, align: 'right', render: (_, it) => it.url && <Visit reach={it} /> },
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

function PortIp({ gateway, fallback }: { gateway: Serving | undefined; fallback: string }) {
  if (!gateway) return <span className="mono">{fallback || '—'}</span>
  return <span className="mono">{gateway.type === 'NodePort' ? gateway.ports.map((it) => it.reachedAt).join(', ') : gateway.addresses.join(', ')}</span>
}

const SHAPES = { good: CheckCircleFilled, broken: CloseCircleFilled, unknown: QuestionCircleFilled }
const COLORS = { good: 'var(--good)', broken: 'var(--bad)', unknown: 'var(--faint)' }

/** "Unable to access?": tries each hop, and marks the one that breaks. */
function Unable({ gateway, urls }: { gateway: Serving; urls: string[] }) {
  const { t } = useWords()
  const [found, setFound] = useState<{ url: string; hops: Hop[] }[] | null>(null)
  const { busy, error, run } = useDoing()
  const start = () => void run(async () => setFound(await Promise.all(urls.slice(0, 4).map(async (url) => ({ url, hops: (await check(gateway.namespace, gateway.name, url)).hops })))))
  return (
    <Card
      title={t('unable.title')}
      extra={
        <Button loading={busy} onClick={start} disabled={urls.length === 0}>
          {t('unable.check')}
        </Button>
      }
    >
      <div className="stack">
        {!found && <p className="soft">{t('unable.about')}</p>}
        {Boolean(error) && <Trouble error={error} />}
        {found?.map(({ url, hops }) => (
          <div key={url}>
            <b className="wrap">{url}</b>
            {hops.every((it) => it.verdict === 'good') && <Note tone="info"><p>{t('unable.fine')}</p></Note>}
            {hops.map((hop) => (
              <HopLine key={hop.hop} hop={hop} />
            ))}
          </div>
        ))}
      </div>
    </Card>
  )
}

function HopLine({ hop }: { hop: Hop }) {
  const { t } = useWords()
  const Shape = SHAPES[hop.verdict]
  return (
    <div className="hop">
      <Shape style={{ color: COLORS[hop.verdict] }} aria-label={t(`verdict.${hop.verdict}`)} />
      <div className="wrap">
        <b>{t(`hop.${hop.hop}`)}</b>
        <p className="soft">{hop.said}</p>
        {hop.verdict === 'broken' && <p>{hop.mend || t(`mend.${hop.hop}`)}</p>}
      </div>
    </div>
  )
}
