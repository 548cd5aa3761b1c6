// Secrets: which there are and what certificates say of themselves. Values are never shown.
import { useMemo, useState } from 'react'
import { Button } from 'antd'
import { DeleteOutlined, PlusOutlined, SyncOutlined } from '@ant-design/icons'
import { useCertificate } from '../api/console'
import { Link } from '@tanstack/react-router'
import { KINDS } from '../api/kinds'
import { useLive } from '../api/live'
import { useRights } from '../api/rights'
import type { Ingress, Secret } from '../api/types'
import { Note, Nothing, Page } from '../parts/basics'
import { Command } from '../parts/command'
import { DeleteDialog } from '../parts/dialogs'
import { Actions } from '../parts/menu'
import { NameCell, ObjectTable, ageColumn, type Column } from '../parts/table'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { TlsDialog } from './certificate'
import { CertificateLine } from './routes/rules'

const TLS = 'kubernetes.io/tls'

export function Secrets() {
  const { t } = useWords()
  const project = useParam('project')
  const rights = useRights(project)
  const live = useLive<Secret>(KINDS.secret, project)
  const routes = useLive<Ingress>(KINDS.ingress, project)
  const [doing, setDoing] = useState<Doing>(null)
  const columns = useColumns(project, routes.objects)
  const make = rights.can('create', KINDS.secret) && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setDoing({ what: 'make' })}>
      {t('secrets.add')}
    </Button>
  )
  const menu = (it: Secret) => (
    <Actions
      label={it.metadata.name}
      of={[
        it.type === TLS && rights.can('patch', KINDS.secret) && { key: 'renew', text: t('secrets.renew'), icon: <SyncOutlined aria-hidden />, run: () => setDoing({ what: 'renew', secret: it }) },
        rights.can('delete', KINDS.secret) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined aria-hidden />, danger: true, run: () => setDoing({ what: 'delete', secret: it }) },
      ]}
    />
  )
  const close = () => setDoing(null)
  const usedBy = doing?.what === 'delete' ? usersOf(doing.secret.metadata.name, routes.objects) : []
  return (
    <Page title={t('secrets.title')} about={t('secrets.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]} actions={<><Command text={`kubectl get secrets -n ${project}`} />{make}</>}>
      <ObjectTable label={t('secrets.title')} live={live} columns={columns} menu={menu} empty={<Nothing title={t('secrets.none')} action={make}>{t('secrets.noneAbout')}</Nothing>} />
      {doing?.what === 'make' && <TlsDialog project={project} onClose={close} />}
      {doing?.what === 'renew' && <TlsDialog project={project} secret={doing.secret} onClose={close} />}
      {doing?.what === 'delete' && <DeleteDialog kind={KINDS.secret} object={doing.secret} word={t('secrets.one')} about={usedBy.length > 0 && <Note tone="warn"><p>{t('secrets.inUse', { names: usedBy.join(', ') })}</p></Note>} onClose={close} />}
    </Page>
  )
}

type Doing = { what: 'make' } | { what: 'renew' | 'delete'; secret: Secret } | null

const Users = ({ of, project }: { of: string[]; project: string }) => (
  <span className="row" style={{ gap: '0 10px' }}>
    {of.length === 0 ? '—' : of.map((name) => <Link key={name} to={`/projects/${project}/routes/${name}`}>{name}</Link>)}
  </span>
)

const usersOf = (name: string, routes: readonly Ingress[]) => routes.filter((it) => it.spec.tls?.some((entry) => entry.secretName === name)).map((it) => it.metadata.name)

function useColumns(project: string, routes: readonly Ingress[]): Column<Secret>[] {
  const { t } = useWords()
  return useMemo(() => {
    return [
      { key: 'name', title: t('table.name'), cell: (it) => <NameCell object={it} link={<b>{it.metadata.name}</b>} />, by: (it) => it.metadata.name },
      { key: 'type', title: t('secrets.type'), cell: (it) => <span className="chip whole">{it.type === TLS ? 'TLS' : (it.type ?? 'Opaque')}</span>, by: (it) => it.type ?? '', wide: true },
      { key: 'certificate', title: t('secrets.certificate'), cell: (it) => (it.type === TLS ? <Certificate project={project} name={it.metadata.name} /> : <span className="faint">{t('secrets.keys', { keys: Object.keys(it.data ?? {}).join(', ') })}</span>) },
      { key: 'used', title: t('secrets.used'), cell: (it) => <Users of={usersOf(it.metadata.name, routes)} project={project} />, wide: true },
      ageColumn(t('meta.created')),
    ]
  }, [t, project, routes])
}

function Certificate({ project, name }: { project: string; name: string }) {
  const { data } = useCertificate(project, name, [])
  return data ? <CertificateLine data={data} /> : <>—</>
}
