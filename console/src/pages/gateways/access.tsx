// How a gateway is to be reached: by node ports, or at an address that somebody gives.
import { Input, InputNumber, Select } from 'antd'
import { useSession } from '../../api/session'
import type { GatewayForm } from '../../forms/gateway'
import { providerHints, PROVIDERS } from '../../forms/providers'
import { Field, Note } from '../../parts/basics'
import { EntryRows } from '../../parts/entries'
import { useWords } from '../../words'

interface Props {
  form: GatewayForm
  onChange: (next: Partial<GatewayForm>) => void
  wrong: (field: keyof GatewayForm, path: string) => string | undefined
}

export function AccessFields({ form, onChange, wrong }: Props) {
  const { t } = useWords()
  const shown = form.type === 'ClusterIP' ? (['NodePort', 'LoadBalancer', 'ClusterIP'] as const) : (['NodePort', 'LoadBalancer'] as const)
  return (
    <>
      <fieldset className="choices">
        <legend className="strong">{t('gateway.access')}</legend>
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

function NodePorts({ form, onChange, wrong }: Props) {
  const { t } = useWords()
  const paths = { httpPort: 'spec.access.nodePorts.http', httpsPort: 'spec.access.nodePorts.https' }
  return (
    <>
      <Note tone="info">
        <p>{t('access.nodePortNote')}</p>
      </Note>
      <div className="choices">
        {(['httpPort', 'httpsPort'] as const).map((field) => (
          <Field key={field} id={field} label={t(`gateway.${field}`)} help={t('gateway.portHelp')} wrong={wrong(field, paths[field])}>
            <InputNumber id={field} style={{ width: '100%' }} placeholder={t('gateway.portAuto')} value={form[field]} onChange={(value) => onChange({ [field]: value })} />
          </Field>
        ))}
      </div>
    </>
  )
}

function Balancer({ form, onChange, wrong }: Props) {
  const { t } = useWords()
  const { mode, pool } = useSession()
  const choose = (provider: string | undefined) => {
    const defaults = PROVIDERS.find((it) => it.name === provider)?.defaults ?? []
    const kept = form.annotations.filter((row) => row.key !== '' && !PROVIDERS.some((it) => it.name === form.provider && it.keys.includes(row.key)))
    onChange({ provider: provider ?? '', annotations: [...kept, ...defaults.filter((one) => !kept.some((row) => row.key === one.key))] })
  }
  return (
    <>
      <Note tone={mode === 'up' && pool === false ? 'warn' : 'info'}>
        <p>{t(mode === 'cluster' ? 'access.byCluster' : pool === false ? 'access.noPool' : 'access.byPool')}</p>
      </Note>
      <div className="choices">
        <Field id="provider" label={t('gateway.provider')} help={t('gateway.providerHelp')}>
          <Select id="provider" aria-label={t('gateway.provider')} allowClear placeholder={t(mode === 'up' && pool ? 'gateway.providerPool' : 'gateway.providerNone')} value={form.provider || null} options={PROVIDERS.map(({ name }) => ({ value: name, label: name }))} onChange={(value?: string | null) => choose(value ?? undefined)} />
        </Field>
        <Field id="loadBalancerIP" label={t('gateway.ip')} help={t(pool ? 'gateway.ipHelp' : 'gateway.ipHelpElse')} wrong={wrong('loadBalancerIP', 'spec.access.loadBalancerIP')}>
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
