// Enable gateway, and Edit gateway.
import { useState } from 'react'
import { Input, InputNumber, Modal, Select, Switch } from 'antd'
import { useOptionHints, type Hint } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { create, edit } from '../../api/objects'
import { useSession } from '../../api/session'
import type { IngressGateway } from '../../api/types'
import { EMPTY_GATEWAY, gatewayProblems, newGateway, readGateway, writeGateway, type GatewayForm } from '../../forms/gateway'
import { Field, Note, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { EntryRows } from '../../parts/entries'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'
import { providerHints, PROVIDERS } from './providers'

interface Props {
  namespace: string
  /** The one to edit; none: it is enabled. */
  gateway?: IngressGateway
  onClose: () => void
}

export function GatewayDialog({ namespace, gateway, onClose }: Props) {
  const { t } = useWords()
  const { user } = useSession()
  const [form, setForm] = useState<GatewayForm>(() => (gateway ? readGateway(gateway) : EMPTY_GATEWAY))
  const { busy, error, run } = useDoing()
  const problems = gatewayProblems(form)
  const save = async () => {
    const done = await run(() => (gateway ? edit(KINDS.ingressGateway, gateway, writeGateway(gateway, form)) : create<IngressGateway>(KINDS.ingressGateway, newGateway(namespace, user, form))))
    if (!done) return
    say(t(gateway ? 'said.saved' : 'said.gatewayEnabled', { what: t('gateway.ofProject') }))
    onClose()
  }
  return (
    <Modal
      open
      width={720}
      title={t(gateway ? 'gateway.edit' : 'gateway.enable')}
      okText={t(gateway ? 'do.save' : 'gateway.enableDo')}
      okButtonProps={{ loading: busy, disabled: problems.length > 0 }}
      onOk={() => void save()}
      onCancel={onClose}
      footer={(buttons) => (
        <div className="row" style={{ justifyContent: 'space-between' }}>
          <Command text={gateway ? `kubectl edit igw ${gateway.metadata.name} -n ${namespace}` : enableCommand(namespace, form)} />
          <span className="row">{buttons}</span>
        </div>
      )}
    >
      <div className="stack">
        <AccessFields form={form} onChange={(next) => setForm({ ...form, ...next })} wrong={(field) => problems.find((it) => it.field === field)?.reason} />
        <div className="row" style={{ justifyContent: 'space-between', flexWrap: 'nowrap', alignItems: 'flex-start', gap: 16 }}>
          <label htmlFor="tracing">
            <b>{t('gateway.tracing')}</b>
            <div className="faint">{t('gateway.tracingAbout')}</div>
          </label>
          <Switch id="tracing" checked={form.tracing} onChange={(tracing) => setForm({ ...form, tracing })} />
        </div>
        <Options form={form} onChange={(config) => setForm({ ...form, config })} />
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}

function Options({ form, onChange }: { form: GatewayForm; onChange: (config: GatewayForm['config']) => void }) {
  const { t } = useWords()
  const hints: Hint[] = useOptionHints()
  return (
    <div className="field">
      <span className="label">{t('gateway.options')}</span>
      <span className="help">{t('gateway.optionsAbout')}</span>
      <EntryRows label={t('gateway.options')} of="options" rows={form.config} onChange={onChange} hints={hints} addText={t('gateway.addOption')} />
    </div>
  )
}

interface AccessProps {
  form: GatewayForm
  onChange: (next: Partial<GatewayForm>) => void
  wrong: (field: keyof GatewayForm) => string | undefined
}

function AccessFields({ form, onChange, wrong }: AccessProps) {
  const { t } = useWords()
  const shown = form.type === 'ClusterIP' ? (['NodePort', 'LoadBalancer', 'ClusterIP'] as const) : (['NodePort', 'LoadBalancer'] as const)
  return (
    <>
      <fieldset className="choices">
        <legend className="strong" style={{ marginBottom: 6 }}>
          {t('gateway.access')}
        </legend>
        {shown.map((type) => (
          <label key={type} className="choice">
            <input type="radio" name="access" value={type} checked={form.type === type} onChange={() => onChange({ type })} />
            <span>
              <b>{type}</b>
              <span className="about">{t(`access.${type}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {form.type === 'NodePort' && <NodePorts form={form} onChange={onChange} wrong={wrong} />}
      {form.type === 'LoadBalancer' && <Balancer form={form} onChange={onChange} wrong={wrong} />}
    </>
  )
}

function NodePorts({ form, onChange, wrong }: AccessProps) {
  const { t } = useWords()
  return (
    <>
      <Note tone="info">
        <p>{t('access.nodePortNote')}</p>
      </Note>
      <div className="choices">
        {(['httpPort', 'httpsPort'] as const).map((field) => (
          <Field key={field} id={field} label={t(`gateway.${field}`)} help={t('gateway.portHelp')} wrong={wrong(field) && t(`gateway.wrong.${wrong(field) as 'port' | 'samePort'}`)}>
            <InputNumber id={field} style={{ width: '100%' }} placeholder={t('gateway.portAuto')} value={form[field]} onChange={(value) => onChange({ [field]: value })} />
          </Field>
        ))}
      </div>
    </>
  )
}

function Balancer({ form, onChange, wrong }: AccessProps) {
  const { t } = useWords()
  const { mode, pool } = useSession()
  const choose = (provider: string | undefined) => {
    const defaults = PROVIDERS.find((it) => it.name === provider)?.defaults ?? []
    const kept = form.annotations.filter((row) => row.value !== '' && !PROVIDERS.some((it) => it.name === form.provider && it.keys.includes(row.key)))
    onChange({ provider: provider ?? '', annotations: [...kept, ...defaults] })
  }
  return (
    <>
      <Note tone={mode === 'up' && pool === false ? 'warn' : 'info'}>
        <p>{t(mode === 'cluster' ? 'access.byCluster' : pool === false ? 'access.noPool' : 'access.byPool')}</p>
      </Note>
      <div className="choices">
        <Field id="provider" label={t('gateway.provider')} help={t('gateway.providerHelp')}>
          <Select id="provider" aria-label={t('gateway.provider')} allowClear placeholder={t('gateway.providerNone')} value={form.provider || null} options={PROVIDERS.map(({ name }) => ({ value: name, label: name }))} onChange={(value?: string | null) => choose(value ?? undefined)} />
        </Field>
        <Field id="loadBalancerIP" label={t('gateway.ip')} help={t('gateway.ipHelp')} wrong={wrong('loadBalancerIP') && t('gateway.wrong.address')}>
          <Input id="loadBalancerIP" placeholder={t('gateway.portAuto')} value={form.loadBalancerIP} onChange={(event) => onChange({ loadBalancerIP: event.target.value.trim() })} />
        </Field>
      </div>
      <div className="field">
        <span className="label">{t('meta.annotations')}</span>
        <span className="help">{t('gateway.annotationsHelp')}</span>
        <EntryRows label={t('meta.annotations')} of="annotations" rows={form.annotations} onChange={(annotations) => onChange({ annotations })} hints={providerHints(form.provider)} addText={t('do.addAnnotation')} />
      </div>
    </>
  )
}

function enableCommand(namespace: string, form: GatewayForm): string {
  const { spec } = newGateway(namespace, '', form)
  const object = { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', namespace }, spec }
  return `kubectl apply -f - <<'END'\n${JSON.stringify(object, null, 2)}\nEND`
}
