// Adding a certificate with its key, and putting newer ones in their place: read and compared before anything is sent.
import { useEffect, useMemo, useState } from 'react'
import { Button, Input, Upload } from 'antd'
import { UploadOutlined } from '@ant-design/icons'
import { KINDS } from '../api/kinds'
import { client } from '../api/live'
import { create, edit } from '../api/objects'
import type { Secret } from '../api/types'
import { keyFits, parseCertificate, type Parsed } from '../forms/certificate'
import { isName } from '../forms/names'
import { newTlsSecret, pemProblems, withPair, type TlsForm } from '../forms/secret'
import { Field } from '../parts/basics'
import { useDoing } from '../parts/dialogs'
import { FormDialog } from '../parts/form-dialog'
import { say } from '../parts/toasts'
import { useWords } from '../words'
import { CertificateLine } from './routes/rules'

interface Props {
  project: string
  /** The one whose certificate is renewed. */
  secret?: Secret
  onClose: () => void
}

export function TlsDialog({ project, secret, onClose }: Props) {
  const { t } = useWords()
  const [read] = useState(secret)
  const [form, setForm] = useState<TlsForm>({ name: secret?.metadata.name ?? '', certificate: '', key: '' })
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const parsed = useMemo(() => parseCertificate(form.certificate), [form.certificate])
  const fits = useFits(parsed, form.key)
  const wrong = useWrong(form, parsed, fits)
  // What was put in whole is judged at once, what is empty when it is sent.
  const at = (field: keyof typeof wrong) => (tried || (field !== 'name' && form[field].includes('-----END')) ? wrong[field] : undefined)
  const save = async () => {
    setTried(true)
    if (wrong.name || wrong.certificate || wrong.key) return
    if (!(await run(() => (read ? edit(KINDS.secret, read, withPair(read, form)) : create<Secret>(KINDS.secret, newTlsSecret(project, form)))))) return
    void client.invalidateQueries({ queryKey: ['certificate', project, form.name] })
    say(t(read ? 'said.saved' : 'said.made', { what: form.name }))
    onClose()
  }
  const name = form.name || 'NAME'
  const command = `kubectl create secret tls ${name} -n ${project} --cert=tls.crt --key=tls.key${read ? ' --dry-run=client -o yaml | kubectl apply -f -' : ''}`
  return (
    <FormDialog title={read ? t('secrets.renewTitle', { name }) : t('secrets.add')} command={command} does={t(read ? 'do.save' : 'do.create')} busy={busy} error={error} width={680} onDo={() => void save()} onClose={onClose}>
      {!read && (
        <Field id="secret-name" label={t('table.name')} help={t('form.nameHelp')} wrong={at('name')}>
          <Input id="secret-name" autoFocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
        </Field>
      )}
      {(['certificate', 'key'] as const).map((field) => (
        <Pem key={field} field={field} value={form[field]} wrong={at(field)} onChange={(text) => setForm((before) => ({ ...before, [field]: text }))}>
          {field === 'certificate' && parsed && <CertificateLine data={{ names: parsed.names, notBefore: parsed.notBefore.toISOString(), notAfter: parsed.notAfter.toISOString(), matches: {} }} />}
        </Pem>
      ))}
    </FormDialog>
  )
}

interface PemProps {
  field: 'certificate' | 'key'
  value: string
  wrong: string | undefined
  onChange: (text: string) => void
  children: React.ReactNode
}

function Pem({ field, value, wrong, onChange, children }: PemProps) {
  const { t } = useWords()
  return (
    <Field id={`secret-${field}`} label={t(`secrets.${field}Pem`)} help={t(`secrets.${field}Help`)} wrong={wrong}>
      <Input.TextArea id={`secret-${field}`} rows={5} className="mono" spellCheck={false} autoComplete="off" placeholder={field === 'key' ? '-----BEGIN PRIVATE KEY-----' : '-----BEGIN CERTIFICATE-----'} value={value} onChange={(event) => onChange(event.target.value)} />
      <Upload showUploadList={false} accept=".pem,.crt,.cer,.key,.txt" beforeUpload={(file) => (void file.text().then(onChange), false)}>
        <Button size="small" icon={<UploadOutlined aria-hidden />}>
          {t('secrets.file')}
        </Button>
      </Upload>
      {children}
    </Field>
  )
}

/** Whether the key is that of the certificate; `null` while that is not known. */
function useFits(parsed: Parsed | null, key: string): boolean | null {
  const [fits, setFits] = useState<boolean | null>(null)
  useEffect(() => {
    let over = false
    setFits(null)
    if (parsed && key.includes('-----END')) void keyFits(parsed, key).then((found) => over || setFits(found)).catch(() => undefined)
    return () => void (over = true)
  }, [parsed, key])
  return fits
}

function useWrong(form: TlsForm, parsed: Parsed | null, fits: boolean | null) {
  const { t } = useWords()
  const { certificate, key } = pemProblems(form)
  return {
    name: isName(form.name) ? undefined : t('wrong.name'),
    certificate: certificate ? t(`wrong.${certificate}`) : parsed ? undefined : t('wrong.certificateUnread'),
    key: key ? t(`wrong.${key}`) : fits === false ? t('wrong.keyOfAnother') : undefined,
  }
}
