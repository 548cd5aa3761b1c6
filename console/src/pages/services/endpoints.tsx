// Static endpoints: a Service for what runs outside of Pods, made and edited.
import { useState } from 'react'
import { Button, Input, InputNumber, Select } from 'antd'
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { stringify } from 'yaml'
import { KINDS } from '../../api/kinds'
import { create, edit } from '../../api/objects'
import { useSession } from '../../api/session'
import type { Service } from '../../api/types'
import { emptyService, ENDPOINTS, endpointProblems, newService, readEndpoints, serviceProblems, writeEndpoints, type ServiceForm } from '../../forms/service'
import { Field } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { saidOf, useTrial } from '../../parts/trial'
import { useWords } from '../../words'

interface EndpointsProps {
  value: string[]
  onChange: (next: string[]) => void
  wrong: string | undefined
}

function Addresses({ value, onChange, wrong }: EndpointsProps) {
  const { t } = useWords()
  return (
    <Field id="endpoints" label={t('services.static')} help={t('services.staticHelp')} wrong={wrong}>
      <Select id="endpoints" mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ']} placeholder="10.0.0.1:8080" value={value} onChange={onChange} {...(wrong && { status: 'error' as const })} />
    </Field>
  )
}

export function EndpointsDialog({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useWords()
  const [endpoints, setEndpoints] = useState(() => readEndpoints(service))
  const { busy, error, run } = useDoing()
  const problem = endpointProblems(endpoints)[0]
  const edited = writeEndpoints(service, endpoints)
  const said = useTrial<Service>(KINDS.service, service, problem ? null : edited)
  const { name, namespace } = service.metadata
  const save = async () => {
    if (problem || !(await run(() => edit(KINDS.service, service, edited)))) return
    say(t('said.saved', { what: name }))
    onClose()
  }
  const annotation = endpoints.length > 0 ? `${ENDPOINTS}=${quoted(endpoints.join(', '))} --overwrite` : `${ENDPOINTS}-`
  return (
    <FormDialog title={t('services.editStatic')} command={`kubectl annotate service ${name} -n ${namespace} ${annotation}`} does={t('do.save')} busy={busy} error={error} width={620} onDo={() => void save()} onClose={onClose}>
      <Addresses value={endpoints} onChange={setEndpoints} wrong={problem ? t(`services.wrong.${problem.reason}`) : saidOf(said, `metadata.annotations[${ENDPOINTS}]`)} />
    </FormDialog>
  )
}

export function CreateDialog({ project, taken, onClose }: { project: string; taken: (name: string) => boolean; onClose: () => void }) {
  const { t } = useWords()
  const { user } = useSession()
  const [form, setForm] = useState<ServiceForm>(emptyService)
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const problems = serviceProblems(form, taken)
  const made = newService(project, user, form)
  const wrong = (field: string) => {
    const found = tried && problems.find((it) => it.field === field)
    return found ? t(`services.wrong.${found.reason}`) : undefined
  }
  const change = (next: Partial<ServiceForm>) => setForm({ ...form, ...next })
  const save = async () => {
    setTried(true)
    if (problems.length > 0 || !(await run(() => create(KINDS.service, made)))) return
    say(t('said.made', { what: form.name }))
    onClose()
  }
  return (
    <FormDialog title={t('services.create')} command={`kubectl apply -f - <<'END'\n${stringify(made)}END`} does={t('do.create')} busy={busy} error={error} width={680} onDo={() => void save()} onClose={onClose}>
      <p className="soft">{t('services.createAbout')}</p>
      <Field id="service-name" label={t('table.name')} help={t('form.nameHelp')} wrong={wrong('name')}>
        <Input id="service-name" autoFocus maxLength={63} value={form.name} onChange={(event) => change({ name: event.target.value.trim() })} {...(wrong('name') && { status: 'error' as const })} />
      </Field>
      <Field id="service-alias" label={t('form.alias')} help={t('form.aliasHelp')}>
        <Input id="service-alias" maxLength={63} value={form.alias} onChange={(event) => change({ alias: event.target.value })} />
      </Field>
      <Ports of={form.ports} onChange={(ports) => change({ ports })} wrong={wrong} />
      <Addresses value={form.endpoints} onChange={(endpoints) => change({ endpoints })} wrong={wrong('endpoints')} />
    </FormDialog>
  )
}

function Ports({ of, onChange, wrong }: { of: ServiceForm['ports']; onChange: (next: ServiceForm['ports']) => void; wrong: (field: string) => string | undefined }) {
  const { t } = useWords()
  const change = (index: number, next: Partial<ServiceForm['ports'][number]>) => onChange(of.map((it, at) => (at === index ? { ...it, ...next } : it)))
  return (
    <div className="field" role="group" aria-label={t('services.ports')}>
      <span className="label">{t('services.ports')}</span>
      {of.map((it, index) => (
        <div key={index} className="field">
          <div className="pair-row">
            <Input aria-label={`${t('table.name')} ${index + 1}`} placeholder={t('table.name')} value={it.name} onChange={(event) => change(index, { name: event.target.value.trim() })} />
            <InputNumber<number> aria-label={`${t('rules.port')} ${index + 1}`} placeholder="80" style={{ width: '100%' }} value={it.port} onChange={(port) => change(index, { port })} />
            {of.length > 1 ? <Button type="text" icon={<DeleteOutlined />} aria-label={t('services.removePort', { n: index + 1 })} onClick={() => onChange(of.filter((_, at) => at !== index))} /> : <span />}
          </div>
          {wrong(`ports.${index}`) && <span className="wrong" role="alert">{wrong(`ports.${index}`)}</span>}
        </div>
      ))}
      <div>
        <Button type="dashed" icon={<PlusOutlined />} onClick={() => onChange([...of, { name: '', port: null }])}>
          {t('services.addPort')}
        </Button>
      </div>
    </div>
  )
}
