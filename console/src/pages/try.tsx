// Try it: a request through a gateway, and beside the answer why it was answered so.
import { useState } from 'react'
import { Button, Input, Select } from 'antd'
import { SendOutlined } from '@ant-design/icons'
import { useQueries } from '@tanstack/react-query'
import { attempt, type Serving, type Tried } from '../api/console'
import { KINDS } from '../api/kinds'
import { useLive } from '../api/live'
import { mayQuery } from '../api/rights'
import type { Ingress } from '../api/types'
import { writeEntries, type Entry } from '../forms/entries'
import { Card, Copy, Field, Loading, Note, Nothing, Page, State, Trouble } from '../parts/basics'
import { Command, quoted } from '../parts/command'
import { useDoing } from '../parts/dialogs'
import { EntryRows } from '../parts/entries'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { Said } from '../words/said'
import { gatewayOf, reaches } from './routes/address'
import { milliseconds } from './gateways/numbers'
import { useServing } from './gateways/serving'
import { scopeWord } from './gateways/state'
import { Why } from './try/why'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const WITH_BODY = ['POST', 'PUT', 'PATCH', 'DELETE']

export function Try() {
  const { t } = useWords()
  const project = useParam('project')
  const { serving: all, known, error: refused } = useServing(project)
  const serving = useSeen(all)
  const routes = useLive<Ingress>(KINDS.ingress, project).objects
  const urls = routes.flatMap((it) => reaches(it, gatewayOf(it, all)).map((reach) => reach.url)).filter(Boolean)
  const [form, setForm] = useState({ gateway: '', method: 'GET', url: null as string | null, headers: [] as Entry[], body: '' })
  const [answer, setAnswer] = useState<Tried | null>(null)
  const { busy, error, run } = useDoing()
  const gateway = serving?.find((it) => `${it.namespace}/${it.name}` === form.gateway) ?? serving?.[0]
  const url = form.url ?? urls[0] ?? ''
  const send = () => {
    if (!gateway) return
    const headers = writeEntries(undefined, form.headers) ?? {}
    void run(async () => setAnswer(await attempt(gateway.namespace, gateway.name, { method: form.method, url, headers, project, ...(WITH_BODY.includes(form.method) && form.body && { body: form.body }) })))
  }
  return (
    <Page title={t('try.title')} about={t('try.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]} actions={<Command text={[`paifang explain ${form.method} ${quoted(url || 'URL')}`, `paifang explain --live ${form.method} ${quoted(url || 'URL')}`]} />}>
      {refused && !known ? (
        <Trouble error={refused} />
      ) : !known || !serving ? (
        <Loading />
      ) : serving.length === 0 ? (
        <div className="card">{all.length > 0 ? <Nothing title={t('try.mayNot')}>{t('try.mayNotAbout')}</Nothing> : <Nothing title={t('try.none')}>{t('try.noneAbout')}</Nothing>}</div>
      ) : (
        <div className="stack">
          <Card>
            <form className="stack" onSubmit={(event) => (event.preventDefault(), send())}>
              <div className="row" style={{ alignItems: 'flex-end' }}>
                <Field id="method" label={t('try.method')}>
                  <Select id="method" aria-label={t('try.method')} style={{ width: 120 }} value={form.method} options={METHODS.map((value) => ({ value, label: value }))} onChange={(method) => setForm({ ...form, method })} />
                </Field>
                <div style={{ flex: '1 1 260px', minWidth: 0 }}>
                  <Field id="url" label={t('try.url')}>
                    <Input id="url" list="urls" value={url} onChange={(event) => setForm({ ...form, url: event.target.value.trim() })} placeholder="http://demo.example.com/" />
                  </Field>
                  <datalist id="urls">{[...new Set(urls)].map((it) => <option key={it} value={it} />)}</datalist>
                </div>
                {serving.length > 1 && (
                  <Field id="gateway" label={t('routes.gateway')}>
                    <Select id="gateway" aria-label={t('routes.gateway')} style={{ minWidth: 200 }} value={`${gateway?.namespace}/${gateway?.name}`} options={serving.map((it) => ({ value: `${it.namespace}/${it.name}`, label: t(scopeWord(it.scope)) }))} onChange={(value) => setForm({ ...form, gateway: value })} />
                  </Field>
                )}
                <Button type="primary" htmlType="submit" icon={<SendOutlined />} loading={busy} disabled={!url}>{t('try.send')}</Button>
              </div>
              <EntryRows label={t('try.headers')} of="options" rows={form.headers} onChange={(headers) => setForm({ ...form, headers })} addText={t('try.addHeader')} />
              {WITH_BODY.includes(form.method) && (
                <Field id="body" label={t('try.body')}>
                  <Input.TextArea id="body" rows={4} className="mono" value={form.body} onChange={(event) => setForm({ ...form, body: event.target.value })} />
                </Field>
              )}
            </form>
          </Card>
          {Boolean(error) && <Trouble error={error} />}
          {answer && <Answered it={answer} />}
        </div>
      )}
    </Page>
  )
}

/** Those that one may see: through others nothing is sent from here. `undefined` while it is being asked. */
function useSeen(serving: Serving[]): Serving[] | undefined {
  return useQueries({
    queries: serving.map((it) => mayQuery('get', KINDS.ingressGateway, it.namespace, it.name)),
    combine: (answers) => (answers.some((it) => it.isPending) ? undefined : serving.filter((_, index) => answers[index]?.data === true)),
  })
}

function Answered({ it: { answer, explanation, error } }: { it: Tried }) {
  const { t } = useWords()
  return (
    <div className="palette">
      <Card title={t('try.answer')} extra={answer && <span className="row"><State tone={answer.status >= 500 ? 'bad' : answer.status >= 400 ? 'warn' : 'good'}>{answer.status}</State><span className="faint">{milliseconds(answer.ms)}</span></span>}>
        <div className="stack">
          {error && <Note tone="bad"><Said of={error} /></Note>}
          {answer && (
            <>
              <div className="code">{answer.headers.map(([key, value]) => `${key}: ${value}`).join('\n')}</div>
              {answer.body ? <div className="code scroll" tabIndex={0}>{answer.body}<Copy text={answer.body} /></div> : <p className="soft">{t('try.noBody')}</p>}
              {answer.truncated && <p className="faint">{t('try.truncated')}</p>}
            </>
          )}
        </div>
      </Card>
      <Card title={t('try.why')}>{explanation ? <Why of={explanation} /> : <p className="soft">{t('try.noWhy')}</p>}</Card>
    </div>
  )
}
