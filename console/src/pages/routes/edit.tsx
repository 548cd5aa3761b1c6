// Edit information, Edit routing rules, Edit annotations.
import { useState } from 'react'
import { Input } from 'antd'
import { useAnnotationHints } from '../../api/console'
import { ApiError } from '../../api/client'
import { KINDS } from '../../api/kinds'
import type { Ingress } from '../../api/types'
import type { Change } from '../../forms/canary'
import { difference } from '../../forms/patch'
import { informationProblems, metadataProblems, readRoute, refusedFields, ruleChanges, ruleProblems, writeInformation, writeMetadata, type RouteForm, type RouteProblem } from '../../forms/route'
import { Field } from '../../parts/basics'
import { useDoing } from '../../parts/dialogs'
import { EntryRows } from '../../parts/entries'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { saidOf, useTrial, type Said } from '../../parts/trial'
import { useWords } from '../../words'
import { apply, commands } from './apply'
import { Rules } from './rules'

export type EditWhat = 'information' | 'rules' | 'annotations'

interface Props {
  what: EditWhat
  route: Ingress
  /** Those of its paths. */
  canaries: readonly Ingress[]
  taken: (name: string) => boolean
  onClose: () => void
}

function changesOf({ what, route, canaries, taken }: Props, form: RouteForm): Change[] {
  if (what === 'rules') return ruleChanges(route, canaries, form.rules, taken)
  const edited = what === 'information' ? writeInformation(route, form) : writeMetadata(route, form)
  return difference(route, edited).length > 0 ? [{ do: 'edit', read: route, edited }] : []
}

/** What the API says of fields, at these fields. */
export const refusedIn = (error: unknown): RouteProblem[] => (error instanceof ApiError ? refusedFields(error.causes) : [])

export const saidAt = (said: Said[]): RouteProblem[] => refusedFields(said.map(({ field, text }) => ({ field, message: text })))

export function EditDialog(props: Props) {
  const { what, route, canaries, onClose } = props
  const { t } = useWords()
  const [form, setForm] = useState(() => readRoute(route, canaries))
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const problems = what === 'rules' ? ruleProblems(form.rules) : what === 'annotations' ? metadataProblems(form) : informationProblems(form, () => false)
  const changes = problems.length > 0 ? [] : changesOf(props, form)
  const own = changes.find((it) => it.do === 'edit' && it.read === route)
  const said = useTrial<Ingress>(KINDS.ingress, route, own?.do === 'edit' ? own.edited : null)
  const save = async () => {
    setTried(true)
    if (problems.length > 0 || !(await run(() => apply(changes)))) return
    say(t('said.saved', { what: route.metadata.name }))
    onClose()
  }
  const { name, namespace } = route.metadata
  return (
    <FormDialog title={t({ information: 'routes.editInformation', rules: 'routes.editRules', annotations: 'routes.editAnnotations' }[what] as 'routes.editRules')} command={changes.length > 0 ? commands(changes) : `kubectl edit ingress ${name} -n ${namespace}`} does={t('do.save')} busy={busy} error={error} width={what === 'information' ? 560 : 900} onDo={() => void save()} onClose={onClose}>
      {what === 'information' && <Information form={form} onChange={(next) => setForm({ ...form, ...next })} fixed />}
      {what === 'rules' && <Rules project={namespace ?? ''} rules={form.rules} onChange={(rules) => setForm({ ...form, rules })} problems={[...(tried ? problems : []), ...refusedIn(error), ...saidAt(said)]} />}
      {what === 'annotations' && <MetadataFields form={form} onChange={(next) => setForm({ ...form, ...next })} said={said} />}
    </FormDialog>
  )
}

export function Information({ form, onChange, fixed, wrong }: { form: RouteForm; onChange: (next: Partial<RouteForm>) => void; fixed?: boolean; wrong?: string | undefined }) {
  const { t } = useWords()
  return (
    <div className="stack">
      <Field id="name" label={t('table.name')} help={t(fixed ? 'form.nameFixed' : 'form.nameHelp')} wrong={wrong}>
        <Input id="name" autoFocus={!fixed} disabled={fixed ?? false} maxLength={63} value={form.name} onChange={(event) => onChange({ name: event.target.value.trim() })} {...(wrong && { status: 'error' as const })} />
      </Field>
      <Field id="alias" label={t('form.alias')} help={t('form.aliasHelp')}>
        <Input id="alias" maxLength={63} value={form.alias} onChange={(event) => onChange({ alias: event.target.value })} />
      </Field>
      <Field id="description" label={t('form.description')}>
        <Input.TextArea id="description" maxLength={256} rows={3} value={form.description} onChange={(event) => onChange({ description: event.target.value })} />
      </Field>
    </div>
  )
}

/** `said` is what the API says of each annotation. */
export function MetadataFields({ form, onChange, said }: { form: RouteForm; onChange: (next: Partial<RouteForm>) => void; said: Said[] }) {
  const { t } = useWords()
  const hints = useAnnotationHints()
  return (
    <div className="stack">
      <div className="field">
        <span className="label">{t('meta.annotations')}</span>
        <span className="help">{t('form.annotationsHelp')}</span>
        <EntryRows label={t('meta.annotations')} of="annotations" rows={form.annotations} onChange={(annotations) => onChange({ annotations })} hints={hints} said={(key) => saidOf(said, `metadata.annotations[${key}]`)} addText={t('do.addAnnotation')} />
      </div>
      <div className="field">
        <span className="label">{t('meta.labels')}</span>
        <EntryRows label={t('meta.labels')} of="labels" rows={form.labels} onChange={(labels) => onChange({ labels })} addText={t('do.addLabel')} />
      </div>
    </div>
  )
}
