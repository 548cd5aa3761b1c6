// Editing an object as YAML: tried by the API first, the difference shown, then saved; conflicts shown.
import { lazy, Suspense, useState } from 'react'
import { Button } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { parse, stringify } from 'yaml'
import { ApiError } from '../api/client'
import { KINDS, type Kind } from '../api/kinds'
import { get, replace } from '../api/objects'
import { useRights } from '../api/rights'
import type { Obj } from '../api/types'
import { Loading, Note, Page, Trouble } from '../parts/basics'
import { Command } from '../parts/command'
import { useDoing } from '../parts/dialogs'
import { say } from '../parts/toasts'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { otherBySlug } from './others/kinds'
import { useSchemas } from './schemas'

const Editor = lazy(() => import('../parts/yaml'))

export const RouteYaml = () => <Read kind={KINDS.ingress} back="routes" title="routes.title" />

export function OtherYaml() {
  const slug = useParam('kind')
  const other = otherBySlug(slug)
  return other ? <Read kind={other.kind} back={`others/${slug}`} title="others.title" /> : null
}

interface Where {
  kind: Kind
  back: string
  title: 'routes.title' | 'others.title'
}

function Read(where: Where) {
  const [project, name] = [useParam('project'), useParam('name')]
  const { data, error, refetch } = useQuery({ queryKey: ['object', where.kind.plural, where.kind.group, project, name], queryFn: () => get<Obj>(where.kind, name, project), staleTime: 0, gcTime: 0 })
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />
  return data ? <Edit {...where} project={project} object={data} /> : <Loading />
}

/** What people read: nobody edits who manages which field. */
export function shown(object: Obj): string {
  const { managedFields: _, ...metadata } = object.metadata as Obj['metadata'] & { managedFields?: unknown }
  return stringify({ ...object, metadata })
}

const withVersion = (object: Obj, resourceVersion: string | undefined): Obj => ({ ...object, metadata: { ...object.metadata, ...(resourceVersion && { resourceVersion }) } })

function Edit({ kind, back, title, project, object }: Where & { project: string; object: Obj }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const may = useRights(project).can('update', kind)
  const { name } = object.metadata
  const [base, setBase] = useState(object)
  const [text, setText] = useState(() => shown(object))
  const [tried, setTried] = useState<Obj | null>(null)
  const { busy, error, run, clear } = useDoing()
  const schemas = useSchemas(kind)
  const path = `/projects/${project}/${back}/${name}`
  const read = () => withVersion(parse(text) as Obj, base.metadata.resourceVersion)
  const review = () => void run(async () => setTried(await replace(kind, read(), true)))
  const save = async () => {
    if (!(await run(() => replace(kind, read())))) return
    say(t('said.saved', { what: name }))
    await navigate({ to: path })
  }
  // Somebody has changed it meanwhile: the comparison goes on with what is there now.
  const rebase = () => void run(async () => (setBase(await get<Obj>(kind, name, project)), setTried(null)))
  const conflict = error instanceof ApiError && error.status === 409
  return (
    <Page
      title={t(may ? 'yaml.title' : 'yaml.titleRead', { name })}
      crumbs={[{ text: project, to: `/projects/${project}` }, { text: t(title), to: `/projects/${project}/${back}` }, { text: name, to: path }]}
      actions={
        <>
          <Command text={[`kubectl edit ${kind.kubectl} ${name} -n ${project}`, `kubectl diff -f ${name}.yaml`]} />
          <Button onClick={() => void navigate({ to: path })}>{t('do.cancel')}</Button>
          {may && tried && <Button onClick={() => setTried(null)}>{t('yaml.goOn')}</Button>}
          {may &&
            (tried ? (
              <Button type="primary" loading={busy} onClick={() => void save()}>
                {t('do.save')}
              </Button>
            ) : (
              <Button type="primary" loading={busy} onClick={review} disabled={text === shown(base)}>
                {t('yaml.review')}
              </Button>
            ))}
        </>
      }
    >
      <div className="stack">
        {conflict ? (
          <Note tone="bad" action={<Button onClick={rebase}>{t('yaml.rebase')}</Button>}>
            <b>{t('error.conflict')}</b>
            <p>{t('yaml.conflictAbout')}</p>
          </Note>
        ) : (
          Boolean(error) && <Trouble error={error} onRetry={clear} />
        )}
        {tried && <Note tone="info"><p>{t('yaml.difference')}</p></Note>}
        <Suspense fallback={<Loading />}>
          {tried ? <Editor key="difference" label={t('yaml.differenceLabel')} value={shown(tried)} against={shown(base)} readOnly /> : <Editor key="text" label="YAML" value={text} readOnly={!may} schemas={schemas} onChange={setText} />}
        </Suspense>
      </div>
    </Page>
  )
}
