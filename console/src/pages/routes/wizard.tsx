// Creating a route in three steps: basic information, routing rules, advanced settings.
import { useMemo, useState } from 'react'
import { Button, Steps } from 'antd'
import { useNavigate } from '@tanstack/react-router'
import { stringify } from 'yaml'
import { ApiError } from '../../api/client'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useRights } from '../../api/rights'
import { useSession } from '../../api/session'
import type { Ingress } from '../../api/types'
import { emptyRoute, informationProblems, metadataProblems, newObjects, ruleProblems, type RouteForm, type RouteProblem } from '../../forms/route'
import { Card, Code, Page, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { say } from '../../parts/toasts'
import { useTrial } from '../../parts/trial'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { applied, apply } from './apply'
import { Information, MetadataFields, refusedIn, saidAt } from './edit'
import { NoGateway } from './list'
import { Rules } from './rules'
import { useServing } from '../gateways/serving'

export function RouteWizard() {
  const { t } = useWords()
  const navigate = useNavigate()
  const project = useParam('project')
  const rights = useRights(project)
  const { user } = useSession()
  const { serving, known } = useServing(project)
  const routes = useLive<Ingress>(KINDS.ingress, project)
  const [form, setForm] = useState<RouteForm>(() => emptyRoute('auto'))
  const [step, setStep] = useState(0)
  const [tried, setTried] = useState(false)
  const { busy, error, run, clear } = useDoing()
  const taken = useMemo(() => new Set(routes.objects.map((it) => it.metadata.name)), [routes.objects])
  const isTaken = (name: string) => taken.has(name)
  const problems: RouteProblem[] = [informationProblems(form, isTaken), ruleProblems(form.rules), metadataProblems(form)][step] ?? []
  const objects = newObjects(project, { ...form, name: form.name || 'NAME' }, isTaken, user)
  const isReady = step > 0 && problems.length === 0 && ruleProblems(form.rules).length === 0
  const said = useTrial<Ingress>(KINDS.ingress, undefined, isReady ? (objects[0] ?? null) : null)
  const shown = [...(tried ? problems : []), ...refusedIn(error), ...saidAt(said)]
  const change = (next: Partial<RouteForm>) => {
    clear()
    setForm({ ...form, ...next })
  }
  const base = `/projects/${project}/routes`
  const go = (to: number) => {
    setTried(to > step && problems.length > 0)
    if (to < step || problems.length === 0) setStep(to)
  }
  const finish = async () => {
    setTried(true)
    if (problems.length > 0) return
    const make = () => apply(objects.map((object) => ({ do: 'create', object })))
    // What was refused is shown where it was filled in.
    if (!(await run(() => make().catch((refusal: unknown) => (setStep(stepOf(refusal)), Promise.reject(refusal as Error)))))) return
    say(t('said.routeMade', { name: form.name }))
    await navigate({ to: `${base}/${form.name}`, search: { tab: 'access' } })
  }
  const name = shown.find((it) => it.field === 'name')
  const wrong = name && (name.said ?? t(`wrong.${name.reason}`))
  return (
    <Page title={t('routes.create')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('routes.title'), to: base }]} actions={<Command text={applied(objects)} />}>
      <div className="stack">
        {known && serving.length === 0 && <NoGateway project={project} rights={rights} />}
        <Steps current={step} responsive items={[{ title: t('wizard.information') }, { title: t('wizard.rules') }, { title: t('wizard.advanced') }]} />
        <Card>
          {step === 0 && <Information form={form} onChange={change} wrong={wrong} />}
          {step === 1 && <Rules project={project} rules={form.rules} onChange={(rules) => change({ rules })} problems={shown} />}
          {step === 2 && <MetadataFields form={form} onChange={change} said={said} />}
          {Boolean(error) && <Trouble error={error} />}
        </Card>
        {step === 2 && (
          <Card title={t('routes.writes')} extra={<span className="faint">{t('routes.writesAbout', { n: objects.length })}</span>}>
            <div className="stack">
              {objects.map((it) => (
                <Code key={it.metadata.name}>{stringify(it).trimEnd()}</Code>
              ))}
            </div>
          </Card>
        )}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button onClick={() => void navigate({ to: base })}>{t('do.cancel')}</Button>
          {step > 0 && <Button onClick={() => go(step - 1)}>{t('wizard.back')}</Button>}
          {step < 2 ? (
            <Button type="primary" onClick={() => go(step + 1)}>
              {t('wizard.next')}
            </Button>
          ) : (
            <Button type="primary" loading={busy} onClick={() => void finish()}>
              {t('wizard.create')}
            </Button>
          )}
        </div>
      </div>
    </Page>
  )
}

/** The step that has the field a refusal is about. */
function stepOf(refusal: unknown): number {
  const field = refusedIn(refusal)[0]?.field ?? ''
  if (field === 'name' || (refusal instanceof ApiError && refusal.reason === 'AlreadyExists')) return 0
  return field.startsWith('rules') ? 1 : 2
}
