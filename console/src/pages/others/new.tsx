// A new object of another API, written as YAML: begun with what it needs, tried by the API, then made.
import { lazy, Suspense, useState } from 'react'
import { Button } from 'antd'
import { useNavigate } from '@tanstack/react-router'
import { parse } from 'yaml'
import { create } from '../../api/objects'
import type { Loose } from '../../api/types'
import { Loading, Note, Page, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { say } from '../../parts/toasts'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { useSchemas } from '../schemas'
import { otherBySlug, type Other } from './kinds'
import { templateOf } from './templates'

const Editor = lazy(() => import('../../parts/yaml'))

export function OtherNew() {
  const other = otherBySlug(useParam('kind'))
  return other ? <New key={other.slug} other={other} /> : null
}

function New({ other: { kind, slug, title } }: { other: Other }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const project = useParam('project')
  const [text, setText] = useState(() => templateOf(slug, project))
  const [tried, setTried] = useState(false)
  const { busy, error, run, clear } = useDoing()
  const schemas = useSchemas(kind)
  const base = `/projects/${project}/others/${slug}`
  const read = (): Loose => {
    const object = parse(text) as Loose
    return { ...object, metadata: { ...object.metadata, namespace: project } }
  }
  const review = () => void run(async () => (await create(kind, read(), true), setTried(true)))
  const make = async () => {
    const object = read()
    if (!(await run(() => create(kind, object)))) return
    say(t('said.made', { what: object.metadata.name }))
    await navigate({ to: `${base}/${object.metadata.name}` })
  }
  return (
    <Page
      title={t('others.createTitle', { kind: kind.kind })}
      crumbs={[{ text: project, to: `/projects/${project}` }, { text: title, to: base }]}
      actions={
        <>
          <Command text={`kubectl apply -n ${project} -f - <<'END'\n${text.trimEnd()}\nEND`} />
          <Button onClick={() => void navigate({ to: base })}>{t('do.cancel')}</Button>
          {tried ? (
            <Button type="primary" loading={busy} onClick={() => void make()}>{t('do.create')}</Button>
          ) : (
            <Button type="primary" loading={busy} onClick={review}>{t('yaml.check')}</Button>
          )}
        </>
      }
    >
      <div className="stack">
        {error ? <Trouble error={error} /> : <Note tone="info"><p>{t(tried ? 'yaml.tried' : 'yaml.new')}</p></Note>}
        <Suspense fallback={<Loading />}>
          <Editor label="YAML" value={text} schemas={schemas} onChange={(next) => (setTried(false), clear(), setText(next))} />
        </Suspense>
      </div>
    </Page>
  )
}
