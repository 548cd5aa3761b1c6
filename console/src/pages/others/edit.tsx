// Edit information, Edit hosts and backends, Edit annotations: of objects of other APIs, as of routes.
import { useState } from 'react'
import { AutoComplete, Button, Input, InputNumber, Select } from 'antd'
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { KINDS, type Kind } from '../../api/kinds'
import { useLive } from '../../api/live'
import { edit } from '../../api/objects'
import type { Loose, Service } from '../../api/types'
import { backendProblems, emptyBackend, readBackends, shares, writeBackends, type BackendForm, type BackendProblem, type BackendsForm } from '../../forms/backends'
import { entryProblems, isShownAnnotation, readEntries, writeEntries } from '../../forms/entries'
import { readNaming, writeNaming } from '../../forms/names'
import { difference } from '../../forms/patch'
import { Field } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { EntryRows } from '../../parts/entries'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'

export type OtherEdit = 'information' | 'rules' | 'annotations'

interface Props {
  what: OtherEdit
  kind: Kind
  object: Loose
  onClose: () => void
}

const TITLES = { information: 'routes.editInformation', rules: 'others.editBackends', annotations: 'routes.editAnnotations' } as const

export function OtherEditDialog({ what, kind, object, onClose }: Props) {
  const { t } = useWords()
  const { name, namespace = '' } = object.metadata
  const [naming, setNaming] = useState(() => readNaming(object))
  const [backends, setBackends] = useState(() => readBackends(kind.kind, object))
  const [annotations, setAnnotations] = useState(() => readEntries(object.metadata.annotations, isShownAnnotation))
  const [labels, setLabels] = useState(() => readEntries(object.metadata.labels))
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const problems = what === 'rules' ? backendProblems(backends) : []
  const isBad = problems.length > 0 || (what === 'annotations' && (entryProblems(annotations, 'annotations').size > 0 || entryProblems(labels, 'labels').size > 0))
  const withMetadata = (): Loose => ({ ...object, metadata: { ...object.metadata, annotations: writeEntries(object.metadata.annotations, annotations, isShownAnnotation), labels: writeEntries(undefined, labels) } as Loose['metadata'] })
  const edited = what === 'information' ? writeNaming(object, naming) : what === 'rules' ? writeBackends(kind.kind, object, backends) : withMetadata()
  const steps = difference(object, edited)
  const save = async () => {
    setTried(true)
    if (isBad || !(await run(() => (steps.length > 0 ? edit(kind, object, edited) : Promise.resolve())))) return
    say(t('said.saved', { what: name }))
    onClose()
  }
  return (
    <FormDialog title={t(TITLES[what])} command={steps.length > 0 ? `kubectl patch ${kind.kubectl} ${name} -n ${namespace} --type=json -p ${quoted(JSON.stringify(steps))}` : `kubectl edit ${kind.kubectl} ${name} -n ${namespace}`} does={t('do.save')} busy={busy} error={error} width={what === 'information' ? 560 : 900} onDo={() => void save()} onClose={onClose}>
      {what === 'information' && (
        <>
          <Field id="other-alias" label={t('form.alias')} help={t('form.aliasHelp')}>
            <Input id="other-alias" maxLength={63} value={naming.alias} onChange={(event) => setNaming({ ...naming, alias: event.target.value })} />
          </Field>
          <Field id="other-description" label={t('form.description')}>
            <Input.TextArea id="other-description" maxLength={256} rows={3} value={naming.description} onChange={(event) => setNaming({ ...naming, description: event.target.value })} />
          </Field>
        </>
      )}
      {what === 'rules' && <Backends project={namespace} form={backends} onChange={setBackends} problems={tried ? problems : []} />}
      {what === 'annotations' && (
        <>
          <div className="field">
            <span className="label">{t('meta.annotations')}</span>
            <EntryRows label={t('meta.annotations')} of="annotations" rows={annotations} onChange={setAnnotations} addText={t('do.addAnnotation')} />
          </div>
          <div className="field">
            <span className="label">{t('meta.labels')}</span>
            <EntryRows label={t('meta.labels')} of="labels" rows={labels} onChange={setLabels} addText={t('do.addLabel')} />
          </div>
        </>
      )}
    </FormDialog>
  )
}

interface BackendsProps {
  project: string
  form: BackendsForm
  onChange: (form: BackendsForm) => void
  problems: BackendProblem[]
}

function Backends({ project, form, onChange, problems }: BackendsProps) {
  const { t } = useWords()
  const services = useLive<Service>(KINDS.service, project).objects
  const wrong = (field: string) => {
    const found = problems.find((it) => it.field === field)
    return found && t(`others.wrong.${found.reason}`)
  }
  const change = (rule: number, backends: BackendForm[]) => onChange({ ...form, rules: form.rules.map((it, index) => (index === rule ? { ...it, backends } : it)) })
  return (
    <>
      <Field id="other-hosts" label={t('routes.hosts')} help={t('others.hostsHelp')} wrong={wrong('hosts')}>
        <Select id="other-hosts" mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ']} value={form.hosts} onChange={(hosts: string[]) => onChange({ ...form, hosts })} {...(wrong('hosts') && { status: 'error' as const })} />
      </Field>
      {form.rules.map(({ about, backends }, rule) => (
        <section key={rule} className="rule" aria-label={t('rules.rule', { n: rule + 1 })}>
          <header>
            <h3>
              {t('rules.rule', { n: rule + 1 })} <code className="faint wrap">{about}</code>
            </h3>
          </header>
          <div className="stack tight">
            {backends.map((it, index) => (
              <BackendRow key={index} n={`${rule + 1}.${index + 1}`} of={it} share={shares(backends)[index] ?? 0} services={services} wrong={(field) => wrong(`rules.${rule}.backends.${index}.${field}`)} onChange={(next) => change(rule, backends.map((one, at) => (at === index ? next : one)))} onRemove={() => change(rule, backends.filter((_, at) => at !== index))} />
            ))}
            {wrong(`rules.${rule}.backends`) && <div className="field"><span className="wrong" role="alert">{wrong(`rules.${rule}.backends`)}</span></div>}
            <div>
              <Button type="link" icon={<PlusOutlined />} style={{ paddingInline: 0 }} onClick={() => change(rule, [...backends, emptyBackend()])}>
                {t('others.addBackend')}
              </Button>
            </div>
          </div>
        </section>
      ))}
    </>
  )
}

interface RowProps {
  n: string
  of: BackendForm
  share: number
  services: readonly Service[]
  wrong: (field: string) => string | undefined
  onChange: (next: BackendForm) => void
  onRemove: () => void
}

function BackendRow({ n, of, share, services, wrong, onChange, onRemove }: RowProps) {
  const { t } = useWords()
  const bad = (field: string) => (wrong(field) ? { status: 'error' as const } : {})
  const ports = services.find((it) => it.metadata.name === of.name)?.spec.ports ?? []
  const said = [wrong('name'), wrong('port'), wrong('weight')].find(Boolean)
  return (
    <div>
      <div className="backend-row">
        <AutoComplete aria-label={`${t('rules.service')} ${n}`} placeholder={t('rules.serviceChoose')} value={of.name} options={services.map((it) => ({ value: it.metadata.name }))} showSearch={{ filterOption: (typed, option) => String(option?.value).includes(typed) }} onChange={(name: string) => onChange({ ...of, name })} {...bad('name')} />
        <AutoComplete aria-label={`${t('rules.port')} ${n}`} placeholder={t('rules.port')} value={of.port} options={ports.map((it) => ({ value: String(it.port), label: it.name ? `${it.port} (${it.name})` : String(it.port) }))} onChange={(port: string) => onChange({ ...of, port: port.trim() })} {...bad('port')} />
        <InputNumber<number> aria-label={`${t('others.weight')} ${n}`} placeholder={t('others.weight')} min={0} value={of.weight} style={{ width: '100%' }} onChange={(weight) => onChange({ ...of, weight })} {...bad('weight')} />
        <span className="faint share">{t('flow.share', { share })}</span>
        <Button type="text" icon={<DeleteOutlined />} aria-label={t('others.removeBackend', { n })} onClick={onRemove} />
      </div>
      {of.note && <span className="faint">{of.note}</span>}
      {said && <div className="field"><span className="wrong" role="alert">{said}</span></div>}
    </div>
  )
}
