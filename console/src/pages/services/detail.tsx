// A Service: ports, endpoints, and whether it is reached from outside.
import { useState } from 'react'
import { Button, Table } from 'antd'
import { DeleteOutlined, EditOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { KINDS } from '../../api/kinds'
import { useLive, useOne } from '../../api/live'
import { useRights } from '../../api/rights'
import type { EndpointSlice, Ingress, Service } from '../../api/types'
import { aliasOf, descriptionOf } from '../../forms/names'
import { mayHaveEndpoints, readEndpoints } from '../../forms/service'
import { Card, Facts, Loading, Page, State, When, type Crumb } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DetailTabs, Events, Metadata } from '../../parts/details'
import { DeleteDialog } from '../../parts/dialogs'
import { Gone } from '../../parts/gone'
import { Actions } from '../../parts/menu'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { EndpointsDialog } from './endpoints'
import { ExternalDialog } from './external'
import { External, externalAddresses } from './list'

export function ServiceDetail() {
  const { t } = useWords()
  const [project, name] = [useParam('project'), useParam('name')]
  const rights = useRights(project)
  const { object, loading, error } = useOne<Service>(KINDS.service, project, name)
  const routes = useLive<Ingress>(KINDS.ingress, project).objects.filter((it) => it.spec.rules?.some((rule) => rule.http?.paths.some((path) => path.backend.service?.name === name)))
  const [open, setOpen] = useState<'external' | 'endpoints' | 'delete' | null>(null)
  const navigate = useNavigate()
  const base = `/projects/${project}/services`
  const crumbs: Crumb[] = [{ text: project, to: `/projects/${project}` }, { text: t('services.title'), to: base }]
  if (loading) return <Loading />
  if (error || !object) return <Gone name={name} crumbs={crumbs} error={error} />
  const may = rights.can('patch', KINDS.service)
  return (
    <Page
      title={aliasOf(object) || name}
      about={descriptionOf(object)}
      crumbs={crumbs}
      actions={
        <>
          <Command text={`kubectl get service ${name} -n ${project} -o yaml`} />
          {may && object.spec.type !== 'ExternalName' && <Button type="primary" onClick={() => setOpen('external')}>{t('services.editExternal')}</Button>}
          <Actions
            label={name}
            text={t('do.manage')}
            of={[
              may && mayHaveEndpoints(object) && { key: 'endpoints', text: t('services.editStatic'), icon: <EditOutlined />, run: () => setOpen('endpoints') },
              rights.can('delete', KINDS.service) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setOpen('delete') },
            ]}
          />
        </>
      }
    >
      <div className="stack">
        <Card>
          <Facts
            of={[
              [t('services.external'), <External service={object} />],
              externalAddresses(object).length > 0 && [t('hop.address'), <span className="mono">{externalAddresses(object).join(', ')}</span>],
              [t('services.routes'), routes.length > 0 && routes.map((it, index) => <span key={it.metadata.name}>{index > 0 && ', '}<Link to={`/projects/${project}/routes/${it.metadata.name}`}>{it.metadata.name}</Link></span>)],
              readEndpoints(object).length > 0 && [t('services.static'), <span className="mono wrap">{readEndpoints(object).join(', ')}</span>],
              [t('services.selector'), Object.entries(object.spec.selector ?? {}).map(([key, value]) => `${key}=${value}`).join(', ')],
              [t('meta.created'), <When at={object.metadata.creationTimestamp} />],
            ]}
          />
        </Card>
        <DetailTabs
          tabs={[
            { key: 'status', label: t('gateway.status'), children: <Status service={object} /> },
            { key: 'metadata', label: t('meta.title'), children: <Metadata object={object} /> },
            { key: 'events', label: t('events.title'), children: <Events of={object} /> },
          ]}
        />
      </div>
      {open === 'external' && <ExternalDialog service={object} onClose={() => setOpen(null)} />}
      {open === 'endpoints' && <EndpointsDialog service={object} onClose={() => setOpen(null)} />}
      {open === 'delete' && <DeleteDialog kind={KINDS.service} object={object} word={t('services.one')} about={routes.length > 0 ? t('services.deleteRoutes', { names: routes.map((it) => it.metadata.name).join(', ') }) : t('services.deleteAbout')} onClose={() => setOpen(null)} onDone={() => void navigate({ to: base })} />}
    </Page>
  )
}

function Status({ service }: { service: Service }) {
  const { t } = useWords()
  const slices = useLive<EndpointSlice>(KINDS.endpointSlice, service.metadata.namespace).objects.filter((it) => it.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name)
  const rows = slices.flatMap((slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses.map((address) => ({ key: `${slice.metadata.name}/${address}`, address, ports: (slice.ports ?? []).map((port) => port.port).join(', '), ready: endpoint.conditions?.ready !== false, node: endpoint.nodeName }))))
  return (
    <div className="stack">
      <Card title={t('services.ports')} bare>
        <Table size="small" rowKey={(it) => `${it.protocol}${it.port}`} pagination={false} dataSource={service.spec.ports ?? []} columns={[{ title: t('table.name'), render: (_, it) => it.name ?? '—' }, { title: t('rules.port'), render: (_, it) => `${it.port}/${it.protocol ?? 'TCP'}` }, { title: t('services.target'), render: (_, it) => it.targetPort ?? '—' }, { title: t('gateway.nodePort'), render: (_, it) => it.nodePort ?? '—' }]} />
      </Card>
      <Card title={t('flow.endpoints')} bare>
        <Table size="small" rowKey="key" pagination={rows.length > 20 ? { pageSize: 20 } : false} dataSource={rows} locale={{ emptyText: t('services.noEndpoints') }} columns={[{ title: t('hop.address'), render: (_, it) => <code>{it.address}:{it.ports}</code> }, { title: t('table.state'), render: (_, it) => <State tone={it.ready ? 'good' : 'bad'}>{t(it.ready ? 'services.ready' : 'services.notReady')}</State> }, { title: t('gateway.node'), render: (_, it) => it.node ?? '—' }]} />
      </Card>
    </div>
  )
}
