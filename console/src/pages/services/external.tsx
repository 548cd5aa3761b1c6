// Edit external access: none, a port of each node, or an address of its own.
import { useState } from 'react'
import { Select } from 'antd'
import { KINDS } from '../../api/kinds'
import { edit } from '../../api/objects'
import { useSession } from '../../api/session'
import type { Service } from '../../api/types'
import { entryProblems } from '../../forms/entries'
import { difference } from '../../forms/patch'
import { providerHints, PROVIDERS } from '../../forms/providers'
import { readExternal, writeExternal, type ExternalForm } from '../../forms/service'
import { Field, Note } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { EntryRows } from '../../parts/entries'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { saidOf, useTrial } from '../../parts/trial'
import { useWords } from '../../words'

export function ExternalDialog({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useWords()
  const [form, setForm] = useState<ExternalForm>(() => readExternal(service))
  const [provider, setProvider] = useState<string | null>(null)
  const { busy, error, run } = useDoing()
  const { mode, pool } = useSession()
  const edited = writeExternal(service, form)
  const isBad = form.type === 'LoadBalancer' && entryProblems(form.annotations, 'annotations').size > 0
  const said = useTrial<Service>(KINDS.service, service, isBad ? null : edited)
  const { name: own, namespace } = service.metadata
  const save = async () => {
    if (isBad || !(await run(() => edit(KINDS.service, service, edited)))) return
    say(t('said.saved', { what: service.metadata.name }))
    onClose()
  }
  const choose = (name: string | null) => {
    setProvider(name)
    const fresh = (PROVIDERS.find((it) => it.name === name)?.defaults ?? []).filter((row) => !form.annotations.some((it) => it.key === row.key))
    setForm({ ...form, annotations: [...form.annotations, ...fresh] })
  }
  return (
    <FormDialog title={t('services.editExternal')} command={`kubectl patch service ${own} -n ${namespace} --type=json -p ${quoted(JSON.stringify(difference(service, edited)))}`} does={t('do.save')} busy={busy} error={error} width={680} onDo={() => void save()} onClose={onClose}>
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
          <Note tone={mode === 'up' && pool === false ? 'warn' : 'info'}>
            <p>{t(mode === 'cluster' ? 'services.byCluster' : pool === false ? 'services.noPool' : 'services.byPool')}</p>
          </Note>
          <Field id="service-provider" label={t('gateway.provider')} help={t('gateway.providerHelp')}>
            <Select id="service-provider" aria-label={t('gateway.provider')} allowClear placeholder={t('gateway.providerNone')} value={provider} options={PROVIDERS.map(({ name }) => ({ value: name, label: name }))} onChange={(name?: string | null) => choose(name ?? null)} />
          </Field>
          <div className="field">
            <span className="label">{t('meta.annotations')}</span>
            <EntryRows label={t('meta.annotations')} of="annotations" rows={form.annotations} onChange={(annotations) => setForm({ ...form, annotations })} hints={providerHints(provider ?? '')} said={(key) => saidOf(said, `metadata.annotations[${key}]`)} addText={t('do.addAnnotation')} />
          </div>
        </>
      )}
    </FormDialog>
  )
}
