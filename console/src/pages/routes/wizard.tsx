// Creating a route in three steps: basic information, routing rules, advanced settings.
import { useMemo, useState } from 'react'
import { Button, Steps } from 'antd'
import { useNavigate } from '@tanstack/react-router'
import { stringify } from 'yaml'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { create } from '../../api/objects'
import { useRights } from '../../api/rights'
import type { Ingress } from '../../api/types'
import { emptyRoute, informationProblems, metadataProblems, newRoute, ruleProblems, type RouteForm, type RouteProblem } from '../../forms/route'
import { Card, Page, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { say } from '../../parts/toasts'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { Information, MetadataFields } from './edit'
import { NoGateway } from './list'
import { Rules } from './rules'
import { useServing } from '../gateways/serving'

export function RouteWizard() {
  const { t } = useWords()
  const navigate = useNavigate()
  const project = useParam('project')
  const rights = useRights(project)
  const { serving, known } = useServing(project)
  const routes = useLive<Ingress>(KINDS.ingress, project)
  const [form, setForm] = useState<RouteForm>(() => emptyRoute('auto'))
  const [step, setStep] = useState(0)
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const taken = useMemo(() => new Set(routes.objects.map((it) => it.metadata.name)), [routes.objects])
  const problems: RouteProblem[] = [informationProblems(form, (name) => taken.has(name)), ruleProblems(form.rules), metadataProblems(form)][step] ?? []
  const change = (next: Partial<RouteForm>) => setForm({ ...form, ...next })
  const base = `/projects/${project}/routes`
  const go = (to: number) => {
    setTried(to > step && problems.length > 0)
    if (to < step || problems.length === 0) setStep(to)
  }
  const finish = async () => {
    setTried(true)
    if (problems.length > 0 || !(await run(() => create(KINDS.ingress, newRoute(project, form))))) return
    say(t('said.routeMade', { name: form.name }))
    await navigate({ to: `${base}/${form.name}`, search: { tab: 'access' } })
  }
  const wrong = tried && problems[0] ? t(`wrong.${problems[0].reason}`) : undefined
  return (
    <Page title={t('routes.create')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('routes.title'), to: base }]} actions={<Command text={`kubectl apply -f - <<'END'\n${stringify(newRoute(project, { ...form, name: form.name || 'NAME' }))}END`} />}>
      <div className="stack">
        {known && serving.length === 0 && <NoGateway project={project} rights={rights} />}
        <Steps current={step} responsive items={[{ title: t('wizard.information') }, { title: t('wizard.rules') }, { title: t('wizard.advanced') }]} />
        <Card>
          {step === 0 && <Information form={form} onChange={change} wrong={wrong} />}
          {step === 1 && <Rules project={project} rules={form.rules} onChange={(rules) => change({ rules })} problems={tried ? problems : []} />}
          {step === 2 && <MetadataFields form={form} onChange={change} />}
          {Boolean(error) && <Trouble error={error} />}
        </Card>
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
