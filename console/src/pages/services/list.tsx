// Services of a project: where routes lead to.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { PlusOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useRights } from '../../api/rights'
import type { Service } from '../../api/types'
import { Nothing, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { useEndpoints } from '../routes/flow'
import { CreateDialog } from './endpoints'

export function ServiceList() {
  const { t } = useWords()
  const project = useParam('project')
  const live = useLive<Service>(KINDS.service, project)
  const endpoints = useEndpoints(project)
  const rights = useRights(project)
  const [making, setMaking] = useState(false)
  const make = rights.can('create', KINDS.service) && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('services.create')}
    </Button>
  )
  const columns: Column<Service>[] = useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <><NameCell object={it} link={<Link to={`/projects/${project}/services/${it.metadata.name}`}>{it.metadata.name}</Link>} />{(it.spec.type ?? 'ClusterIP') !== 'ClusterIP' && <div className="narrow-only"><External service={it} /></div>}</>, by: (it) => it.metadata.name },
      { key: 'external', title: t('services.external'), cell: (it) => <External service={it} />, by: (it) => it.spec.type ?? '', wide: true },
      { key: 'ports', title: t('services.ports'), cell: (it) => portsText(it) || '—', wide: true },
      { key: 'endpoints', title: t('flow.endpoints'), cell: (it) => <Endpoints service={it} count={endpoints.get(it.metadata.name)} />, by: (it) => endpoints.get(it.metadata.name)?.ready ?? 0 },
      ageColumn(t('meta.created')),
    ],
    [t, project, endpoints],
  )
  return (
    <Page title={t('services.title')} about={t('services.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]} actions={<><Command text={`kubectl get services -n ${project}`} />{make}</>}>
      <ObjectTable label={t('services.title')} live={live} columns={columns} text={portsText} empty={<Nothing title={t('services.none')} action={make}>{t('services.noneAbout')}</Nothing>} />
      {making && <CreateDialog project={project} taken={(name) => live.objects.some((it) => it.metadata.name === name)} onClose={() => setMaking(false)} />}
    </Page>
  )
}

export const portsText = (it: Service) => (it.spec.ports ?? []).map((port) => `${port.name ? `${port.name} ` : ''}${port.port}${port.protocol && port.protocol !== 'TCP' ? `/${port.protocol}` : ''}`).join(', ')

export const externalAddresses = (it: Service) => (it.status?.loadBalancer?.ingress ?? []).map((one) => one.ip ?? one.hostname ?? '').filter(Boolean)

export function External({ service }: { service: Service }) {
  const { t } = useWords()
  const { type = 'ClusterIP', externalName, ports = [] } = service.spec
  if (type === 'ExternalName') return <span className="wrap">→ {externalName}</span>
  if (type === 'NodePort') return <span className="chip jade">NodePort {ports.map((port) => port.nodePort).join(', ')}</span>
  if (type === 'LoadBalancer') return <span className="chip jade">LoadBalancer {externalAddresses(service).join(', ') || t('gateway.pending')}</span>
  return <span className="soft">{t('services.inside')}</span>
}

/** On a Service that a gateway is seen as: where one process serves them all, it leads to no Pods. */
const OF_GATEWAY = 'gateway.networking.k8s.io/gateway-name'

export function Endpoints({ service, count }: { service: Service; count: { ready: number; all: number } | undefined }) {
  const { t } = useWords()
  if (service.spec.type === 'ExternalName') return <>—</>
  if (!count && service.metadata.labels?.[OF_GATEWAY]) return <State tone="quiet">{t('gateway.one')}</State>
  const { ready, all } = count ?? { ready: 0, all: 0 }
  return <State tone={ready === 0 ? 'bad' : ready < all ? 'warn' : 'good'}>{t('flow.ready', { ready, all })}</State>
}
