// A Service: ports, endpoints, and whether it is reached from outside.
import { useState } from 'react'
import { Button, Modal, Select, Table } from 'antd'
import { Link } from '@tanstack/react-router'
import { KINDS } from '../../api/kinds'
import { useLive, useOne } from '../../api/live'
import { edit } from '../../api/objects'
import { useRights } from '../../api/rights'
import type { EndpointSlice, Ingress, Service } from '../../api/types'
import { aliasOf, descriptionOf } from '../../forms/names'
import { readExternal, writeExternal, type ExternalForm } from '../../forms/service'
import { Card, Facts, Field, Loading, Nothing, Page, State, Trouble, When } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DetailTabs, Events, Metadata } from '../../parts/details'
import { useDoing } from '../../parts/dialogs'
import { EntryRows } from '../../parts/entries'
import { say } from '../../parts/toasts'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { providerHints, PROVIDERS } from '../../forms/providers'
import { External, externalAddresses } from './list'

export function ServiceDetail() {
  const { t } = useWords()
  const [project, name] = [useParam('project'), useParam('name')]
  const rights = useRights(project)
  const { object, loading, error } = useOne<Service>(KINDS.service, project, name)
  const routes = useLive<Ingress>(KINDS.ingress, project).objects.filter((it) => it.spec.rules?.some((rule) => rule.http?.paths.some((path) => path.backend.service?.name === name)))
  const [opening, setOpening] = useState(false)
  if (error) return <Trouble error={error} />
  if (loading) return <Loading />
  if (!object) return <div className="card"><Nothing title={t('routes.gone', { name })}>{t('routes.goneAbout')}</Nothing></div>
  return (
    <Page
      title={aliasOf(object) || name}
      about={descriptionOf(object)}
      crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('services.title'), to: `/projects/${project}/services` }]}
      actions={
        <>
          <Command text={`kubectl get service ${name} -n ${project} -o yaml`} />
          {rights.can('patch', KINDS.service) && object.spec.type !== 'ExternalName' && <Button type="primary" onClick={() => setOpening(true)}>{t('services.editExternal')}</Button>}
        </>
      }
    >
      <div className="stack">
        <Card>
          <Facts
            of={[
              [t('services.external'), <External service={object} />],
              externalAddresses(object).length > 0 && [t('gateway.address'), <span className="mono">{externalAddresses(object).join(', ')}</span>],
              [t('services.routes'), routes.length > 0 && routes.map((it, index) => <span key={it.metadata.name}>{index > 0 && ', '}<Link to={`/projects/${project}/routes/${it.metadata.name}`}>{it.metadata.name}</Link></span>)],
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
      {opening && <ExternalDialog service={object} onClose={() => setOpening(false)} />}
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
        <Table size="small" rowKey="key" pagination={rows.length > 20 ? { pageSize: 20 } : false} dataSource={rows} locale={{ emptyText: t('services.noEndpoints') }} columns={[{ title: t('gateway.address'), render: (_, it) => <code>{it.address}:{it.ports}</code> }, { title: t('table.state'), render: (_, it) => <State tone={it.ready ? 'good' : 'bad'}>{t(it.ready ? 'services.ready' : 'services.notReady')}</State> }, { title: t('gateway.node'), render: (_, it) => it.node ?? '—' }]} />
      </Card>
    </div>
  )
}

function ExternalDialog({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useWords()
  const [form, setForm] = useState<ExternalForm>(() => readExternal(service))
  const [provider, setProvider] = useState<string | null>(null)
  const { busy, error, run } = useDoing()
  const save = async () => {
    if (!(await run(() => edit(KINDS.service, service, writeExternal(service, form))))) return
    say(t('said.saved', { what: service.metadata.name }))
    onClose()
  }
  const choose = (name: string | null) => {
    setProvider(name)
    const fresh = (PROVIDERS.find((it) => it.name === name)?.defaults ?? []).filter((row) => !form.annotations.some((it) => it.key === row.key))
    setForm({ ...form, annotations: [...form.annotations, ...fresh] })
  }
  return (
    <Modal open width={680} title={t('services.editExternal')} okText={t('do.save')} okButtonProps={{ loading: busy }} onOk={() => void save()} onCancel={onClose}>
      <div className="stack">
        <fieldset className="choices">
          <legend className="hidden">{t('services.external')}</legend>
          {(['ClusterIP', 'NodePort', 'LoadBalancer'] as const).map((type) => (
            <label key={type} className="choice">
              <input type="radio" name="external" checked={form.type === type} onChange={() => setForm({ ...form, type })} />
              <span>
                <b>{type === 'ClusterIP' ? t('services.inside') : type}</b>
                <span className="about">{t(`external.${type}`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {form.type === 'LoadBalancer' && (
          <>
            <Field id="service-provider" label={t('gateway.provider')} help={t('gateway.providerHelp')}>
              <Select id="service-provider" aria-label={t('gateway.provider')} allowClear placeholder={t('gateway.providerNone')} value={provider} options={PROVIDERS.map(({ name }) => ({ value: name, label: name }))} onChange={(name?: string | null) => choose(name ?? null)} />
            </Field>
            <div className="field">
              <span className="label">{t('meta.annotations')}</span>
              <EntryRows label={t('meta.annotations')} of="annotations" rows={form.annotations} onChange={(annotations) => setForm({ ...form, annotations })} hints={providerHints(provider ?? '')} addText={t('do.addAnnotation')} />
            </div>
          </>
        )}
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}
