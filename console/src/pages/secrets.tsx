// Secrets: which there are and what certificates say of themselves. Values are never shown.
import { useMemo, useState } from 'react'
import { Button, Input, Modal, Upload } from 'antd'
import { DeleteOutlined, PlusOutlined, UploadOutlined } from '@ant-design/icons'
import { useCertificate } from '../api/console'
import { KINDS } from '../api/kinds'
import { useLive } from '../api/live'
import { create } from '../api/objects'
import { useRights } from '../api/rights'
import type { Ingress, Secret } from '../api/types'
import { isName } from '../forms/names'
import { newTlsSecret, pemProblems } from '../forms/secret'
import { Field, Nothing, Page, Trouble } from '../parts/basics'
import { Command } from '../parts/command'
import { DeleteDialog, useDoing } from '../parts/dialogs'
import { Actions } from '../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../parts/table'
import { say } from '../parts/toasts'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { CertificateLine } from './routes/rules'

const TLS = 'kubernetes.io/tls'

export function Secrets() {
  const { t } = useWords()
  const project = useParam('project')
  const rights = useRights(project)
  const live = useLive<Secret>(KINDS.secret, project)
  const routes = useLive<Ingress>(KINDS.ingress, project)
  const [making, setMaking] = useState(false)
  const [doomed, setDoomed] = useState<Secret | null>(null)
  const columns = useColumns(project, routes.objects)
  const make = rights.can('create', KINDS.secret) && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('secrets.add')}
    </Button>
  )
  const menu = (it: Secret) => <Actions label={it.metadata.name} of={[rights.can('delete', KINDS.secret) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => setDoomed(it) }]} />
  return (
    <Page title={t('secrets.title')} about={t('secrets.about')} crumbs={[{ text: project, to: `/projects/${project}` }]} actions={<><Command text={`kubectl get secrets -n ${project}`} />{make}</>}>
      <ObjectTable label={t('secrets.title')} live={live} columns={columns} menu={menu} empty={<Nothing title={t('secrets.none')} action={make}>{t('secrets.noneAbout')}</Nothing>} />
      {making && <TlsDialog project={project} onClose={() => setMaking(false)} />}
      {doomed && <DeleteDialog kind={KINDS.secret} object={doomed} word={t('secrets.one')} onClose={() => setDoomed(null)} />}
    </Page>
  )
}

function useColumns(project: string, routes: readonly Ingress[]): Column<Secret>[] {
  const { t } = useWords()
  return useMemo(() => {
    const users = (name: string) => routes.filter((it) => it.spec.tls?.some((entry) => entry.secretName === name)).map((it) => it.metadata.name)
    return [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<b>{it.metadata.name}</b>} />, by: (it) => it.metadata.name },
      { key: 'type', title: t('secrets.type'), cell: (it) => <span className="chip">{it.type === TLS ? 'TLS' : (it.type ?? 'Opaque')}</span>, by: (it) => it.type ?? '' },
      { key: 'certificate', title: t('secrets.certificate'), cell: (it) => (it.type === TLS ? <Certificate project={project} name={it.metadata.name} /> : <span className="faint">{t('secrets.keys', { keys: Object.keys(it.data ?? {}).join(', ') })}</span>) },
      { key: 'used', title: t('secrets.used'), cell: (it) => users(it.metadata.name).join(', ') || '—', wide: true },
      ageColumn(t('meta.created')),
    ]
  }, [t, project, routes])
}

function Certificate({ project, name }: { project: string; name: string }) {
  const { data } = useCertificate(project, name, [])
  return data ? <CertificateLine data={data} /> : <>—</>
}

function TlsDialog({ project, onClose }: { project: string; onClose: () => void }) {
  const { t } = useWords()
  const [form, setForm] = useState({ name: '', certificate: '', key: '' })
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const wrong = { name: !isName(form.name) ? t('wrong.name') : undefined, ...pemWords(form, t) }
  const at = (field: keyof typeof wrong) => (tried ? wrong[field] : undefined)
  const save = async () => {
    setTried(true)
    if (wrong.name || wrong.certificate || wrong.key || !(await run(() => create<Secret>(KINDS.secret, newTlsSecret(project, form))))) return
    say(t('said.made', { what: form.name }))
    onClose()
  }
  return (
    <Modal open width={680} title={t('secrets.add')} okText={t('do.create')} okButtonProps={{ loading: busy }} onOk={() => void save()} onCancel={onClose} footer={(buttons) => <div className="row" style={{ justifyContent: 'space-between' }}><Command text={`kubectl create secret tls ${form.name || 'NAME'} -n ${project} --cert=tls.crt --key=tls.key`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        <Field id="secret-name" label={t('table.name')} help={t('form.nameHelp')} wrong={at('name')}>
          <Input id="secret-name" autoFocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
        </Field>
        {(['certificate', 'key'] as const).map((field) => (
          <Field key={field} id={`secret-${field}`} label={t(`secrets.${field}Pem`)} help={t(`secrets.${field}Help`)} wrong={at(field)}>
            <Input.TextArea id={`secret-${field}`} rows={5} className="mono" spellCheck={false} autoComplete="off" placeholder={field === 'key' ? '-----BEGIN PRIVATE KEY-----' : '-----BEGIN CERTIFICATE-----'} value={form[field]} onChange={(event) => setForm({ ...form, [field]: event.target.value })} />
            <Upload showUploadList={false} beforeUpload={(file) => (void file.text().then((text) => setForm((before) => ({ ...before, [field]: text }))), false)}>
              <Button size="small" icon={<UploadOutlined />}>{t('secrets.file')}</Button>
            </Upload>
          </Field>
        ))}
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}

function pemWords(form: { certificate: string; key: string }, t: ReturnType<typeof useWords>['t']) {
  const { certificate, key } = pemProblems(form)
  return { certificate: certificate && t(`wrong.${certificate}`), key: key && t(`wrong.${key}`) }
}
