// Enable gateway, and Edit gateway.
import { useState } from 'react'
import { Button, Input, InputNumber, Switch } from 'antd'
import { useOptionHints } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { create, edit } from '../../api/objects'
import { useSession } from '../../api/session'
import type { IngressGateway } from '../../api/types'
import { EMPTY_GATEWAY, gatewayProblems, newGateway, readGateway, writeGateway, type GatewayForm } from '../../forms/gateway'
import { Field, Note } from '../../parts/basics'
import { useDoing } from '../../parts/dialogs'
import { EntryRows } from '../../parts/entries'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { saidOf, useTrial, type Said } from '../../parts/trial'
import { useWords } from '../../words'
import { useTell } from '../../words/messages'
import { AccessFields } from './access'
import { refusedPorts, useNodePorts } from './ports'

interface Props {
  namespace: string
  /** The one to edit; none: it is enabled. */
  gateway?: IngressGateway
  /** Of the one that is enabled. */
  scope?: 'Project' | 'Cluster'
  /** What it begins with. */
  begin?: GatewayForm
  onClose: () => void
}

export function GatewayDialog({ namespace, gateway, scope = 'Project', begin = EMPTY_GATEWAY, onClose }: Props) {
  const { t } = useWords()
  const tell = useTell()
  const { user } = useSession()
  const [read, setRead] = useState(gateway)
  const [form, setForm] = useState<GatewayForm>(() => (gateway ? readGateway(gateway) : begin))
  const { busy, error, run } = useDoing()
  const before = gateway && readGateway(gateway)
  const ports = useNodePorts(namespace, form, gateway)
  const problems = gatewayProblems(form, ports.range, before)
  const made = gateway ? writeGateway(gateway, form) : newGateway(namespace, user, form, scope)
  const said = useTrial<IngressGateway>(KINDS.ingressGateway, gateway, problems.length > 0 ? null : made)
  // Its status may have moved on meanwhile, which is no concern of who edits; what it should be is.
  const moved = gateway !== undefined && JSON.stringify(gateway.spec) !== JSON.stringify(read?.spec)
  const save = async () => {
    const done = await run(() => (gateway ? edit(KINDS.ingressGateway, gateway, made as IngressGateway) : create<IngressGateway>(KINDS.ingressGateway, made)))
    if (!done) return
    say(t(gateway || scope === 'Cluster' ? 'said.saved' : 'said.gatewayEnabled', { what: t(scope === 'Cluster' ? 'gateway.ofCluster' : 'gateway.ofProject') }))
    onClose()
  }
  const newest = () => {
    if (!gateway) return
    setRead(gateway)
    setForm(readGateway(gateway))
  }
  const wrong = (field: keyof GatewayForm, path: string) => {
    const reason = problems.find((it) => it.field === field)?.reason
    if (reason && reason !== 'rows') return t(`gateway.wrong.${reason}`, { ...ports.range })
    if (ports.taken.some((it) => it === field)) return t('gateway.wrong.taken')
    const refused = gateway && refusedPorts(gateway)
    const kept = (field === 'httpPort' || field === 'httpsPort') && form[field] !== null && form[field] === before?.[field]
    return kept && refused?.message?.includes(`node port ${form[field]} `) ? tell(refused.message) : saidOf(said, path)
  }
  const change = (next: Partial<GatewayForm>) => setForm({ ...form, ...next })
  return (
    <FormDialog title={t(gateway ? 'gateway.edit' : scope === 'Cluster' ? 'gateway.configure' : 'gateway.enable')} command={applyCommand(made)} does={t(gateway || scope === 'Cluster' ? 'do.save' : 'gateway.enableDo')} busy={busy} error={error} width={720} blocked={problems.length > 0 || moved} onDo={() => void save()} onClose={onClose}>
      {moved && (
        <Note tone="warn" action={<Button onClick={newest}>{t('gateway.newest')}</Button>}>
          <p>{t('error.conflict')}</p>
        </Note>
      )}
      <AccessFields form={form} onChange={change} wrong={wrong} />
      <Tracing form={form} onChange={change} wrong={wrong} />
      <Options form={form} onChange={(config) => change({ config })} said={said} />
    </FormDialog>
  )
}

function Tracing({ form, onChange, wrong }: { form: GatewayForm; onChange: (next: Partial<GatewayForm>) => void; wrong: (field: keyof GatewayForm, path: string) => string | undefined }) {
  const { t } = useWords()
  return (
    <div className="stack tight">
      <div className="row" style={{ justifyContent: 'space-between', flexWrap: 'nowrap', alignItems: 'flex-start', gap: 16 }}>
        <label htmlFor="tracing">
          <b>{t('gateway.tracing')}</b>
          <div className="faint">{t('gateway.tracingAbout')}</div>
        </label>
        <Switch id="tracing" checked={form.tracing} onChange={(tracing) => onChange({ tracing })} />
      </div>
      {form.tracing && (
        <div className="choices wide-first">
          <Field id="endpoint" label={t('gateway.collector')} help={t('gateway.collectorHelp')} wrong={wrong('endpoint', 'spec.tracing.endpoint')}>
            <Input id="endpoint" placeholder="http://collector.monitoring:4317" value={form.endpoint} onChange={(event) => onChange({ endpoint: event.target.value.trim() })} />
          </Field>
          <Field id="sampling" label={t('gateway.sampling')} help={t('gateway.samplingHelp')} wrong={wrong('sampling', 'spec.tracing.sampling')}>
            <InputNumber id="sampling" min={0} max={100} suffix="%" placeholder="100" style={{ width: '100%' }} value={form.sampling} onChange={(sampling) => onChange({ sampling })} />
          </Field>
        </div>
      )}
    </div>
  )
}

function Options({ form, onChange, said }: { form: GatewayForm; onChange: (config: GatewayForm['config']) => void; said: Said[] }) {
  const { t } = useWords()
  return (
    <div className="field">
      <span className="label">{t('gateway.options')}</span>
      <span className="help">{t('gateway.optionsAbout')}</span>
      <EntryRows label={t('gateway.options')} of="options" rows={form.config} onChange={onChange} hints={useOptionHints()} addText={t('gateway.addOption')} said={(key) => saidOf(said, `spec.config[${key}]`)} />
    </div>
  )
}

/** The request as it is to be, for who would rather keep it in a file. */
function applyCommand({ metadata: { name, namespace }, spec }: Omit<IngressGateway, 'apiVersion' | 'kind'>): string {
  const object = { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name, namespace }, spec }
  return `kubectl apply -f - <<'END'\n${JSON.stringify(object, null, 2)}\nEND`
}
