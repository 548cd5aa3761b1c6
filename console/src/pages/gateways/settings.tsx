// Project settings → Gateway settings.
import { useState } from 'react'
import { Button } from 'antd'
import { EyeOutlined } from '@ant-design/icons'
import { useNavigate } from '@tanstack/react-router'
import { type Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useMay, useRights } from '../../api/rights'
import type { IngressGateway } from '../../api/types'
import { Card, Loading, Nothing, Page, State, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { Why } from '../../parts/why'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { GatewayCard, GatewayFacts } from './card'
import { GatewayDialog } from './dialog'
import { useServing } from './serving'

export function GatewaySettings() {
  const { t } = useWords()
  const project = useParam('project')
  const rights = useRights(project)
  const own = useLive<IngressGateway>(KINDS.ingressGateway, project)
  const { serving } = useServing(project)
  const [enabling, setEnabling] = useState(false)
  const shared = serving.filter((it) => it.scope !== 'Project')
  const base = `/projects/${project}/gateways`
  return (
    <Page title={t('gateways.title')} about={t('gateways.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.settings') }]} actions={<Command text={`kubectl get igw -n ${project}`} />}>
      <div className="stack">
        {own.error ? (
          <Trouble error={own.error} />
        ) : own.loading || !rights.known ? (
          <Loading />
        ) : own.objects.length === 0 ? (
          <div className="card">
            <Nothing
              title={t('gateways.none')}
              action={
                rights.can('create', KINDS.ingressGateway) ? (
                  <Button type="primary" size="large" onClick={() => setEnabling(true)}>
                    {t('gateway.enable')}
                  </Button>
                ) : (
                  <Why project={project}>{t('gateways.mayNot')}</Why>
                )
              }
            >
              {t(shared.length > 0 ? 'gateways.noneShared' : 'gateways.noneAbout')}
            </Nothing>
          </div>
        ) : (
          own.objects.map((gateway) => <GatewayCard key={gateway.metadata.name} gateway={gateway} rights={rights} base={base} />)
        )}
        {shared.map((it) => (
          <SharedCard key={`${it.namespace}/${it.name}`} serving={it} base={base} />
        ))}
      </div>
      {enabling && <GatewayDialog namespace={project} onClose={() => setEnabling(false)} />}
    </Page>
  )
}

function SharedCard({ serving, base }: { serving: Serving; base: string }) {
  const { t } = useWords()
  const navigate = useNavigate()
  // Its numbers and its log are for who may look at it; that it serves the project is for all.
  const may = useMay('get', KINDS.ingressGateway, serving.namespace, serving.name)
  return (
    <Card
      title={
        <span className="row">
          {t(serving.scope === 'Cluster' ? 'gateway.ofCluster' : 'gateway.ofWorkspace')} {serving.addresses.length > 0 ? <State tone="good">{t('gateway.running')}</State> : <State tone="warn">{t('gateway.pending')}</State>}
        </span>
      }
      extra={
        may && (
          <Button icon={<EyeOutlined aria-hidden />} onClick={() => void navigate({ to: `${base}/${serving.namespace}/${serving.name}` })}>
            {t('do.view')}
          </Button>
        )
      }
    >
      <div className="stack">
        <p className="soft">{t('gateway.sharedAbout')}</p>
        <GatewayFacts serving={serving} />
      </div>
    </Card>
  )
}
