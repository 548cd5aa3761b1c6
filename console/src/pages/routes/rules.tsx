// Routing rules, as people edit them: in the wizard and in the dialog.
import { Alert, Button, Input, Select } from 'antd'
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { useCertificate, useGeneratedHost } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import { useRights } from '../../api/rights'
import type { Secret, Service } from '../../api/types'
import { emptyRule, type RouteProblem, type RuleForm } from '../../forms/route'
import { Field, State } from '../../parts/basics'
import { useWords, type Say } from '../../words'
import { Said } from '../../words/said'
import { Paths } from './paths'

interface Props {
  project: string
  rules: RuleForm[]
  onChange: (rules: RuleForm[]) => void
  /** Shown once somebody has tried to go on. */
  problems: RouteProblem[]
}

export function Rules({ project, rules, onChange, problems }: Props) {
  const { t } = useWords()
  const services = useLive<Service>(KINDS.service, project).objects
  const change = (index: number, next: Partial<RuleForm>) => onChange(rules.map((rule, i) => (i === index ? { ...rule, ...next } : rule)))
  return (
    <div className="stack">
      {rules.map((rule, index) => (
        <section key={index} className="rule" aria-label={t('rules.rule', { n: index + 1 })}>
          <header>
            <h3>{t('rules.rule', { n: index + 1 })}</h3>
            {rules.length > 1 && (
              <Button type="text" icon={<DeleteOutlined />} aria-label={t('rules.remove', { n: index + 1 })} onClick={() => onChange(rules.filter((_, i) => i !== index))} />
            )}
          </header>
          <Rule project={project} index={index} rule={rule} services={services} onChange={(next) => change(index, next)} wrong={(field) => say(problems, `rules.${index}.${field}`, t)} />
        </section>
      ))}
      {problems.some((it) => it.reason === 'noRules') && <Alert type="error" title={t('wrong.noRules')} />}
      <div>
        <Button type="dashed" icon={<PlusOutlined />} onClick={() => onChange([...rules, emptyRule('domain')])}>
          {t('rules.add')}
        </Button>
      </div>
    </div>
  )
}

function say(problems: RouteProblem[], field: string, t: Say): string | undefined {
  const found = problems.find((it) => it.field === field)
  return found && (found.said ?? t(`wrong.${found.reason}`))
}

interface RuleProps {
  project: string
  index: number
  rule: RuleForm
  services: readonly Service[]
  onChange: (next: Partial<RuleForm>) => void
  wrong: (field: string) => string | undefined
}

function Rule({ project, index, rule, services, onChange, wrong }: RuleProps) {
  const { t } = useWords()
  const id = `rule-${index}`
  // A generated host is named for one Service: nothing there is split.
  const auto = () => onChange({ mode: 'auto', protocol: 'http', secret: '', paths: rule.paths.map(({ second: _, ...path }) => path) })
  return (
    <div className="stack">
      <fieldset className="choices">
        <legend className="hidden">{t('rules.mode')}</legend>
        <label className="choice">
          <input type="radio" name={`${id}-mode`} checked={rule.mode === 'auto'} onChange={auto} />
          <span>
            <b>{t('rules.auto')}</b>
            <span className="about">{t('rules.autoAbout')}</span>
          </span>
        </label>
        <label className="choice">
          <input type="radio" name={`${id}-mode`} checked={rule.mode === 'domain'} onChange={() => onChange({ mode: 'domain' })} />
          <span>
            <b>{t('rules.domain')}</b>
            <span className="about">{t('rules.domainAbout')}</span>
          </span>
        </label>
      </fieldset>
      {rule.mode === 'auto' ? <Preview project={project} service={rule.paths[0]?.service ?? ''} /> : <Domain id={id} project={project} rule={rule} onChange={onChange} wrong={wrong} />}
      <Paths id={id} rule={rule} services={services} onChange={(paths) => onChange({ paths })} wrong={wrong} />
    </div>
  )
}

/** The host as it will be, made where it is made in the end. */
function Preview({ project, service }: { project: string; service: string }) {
  const { t } = useWords()
  const { data, error } = useGeneratedHost(project, service ? [service] : [])
  return (
    <div className="field">
      <span className="label">{t('rules.host')}</span>
      <div className="code" role="status">
        {!service ? t('rules.previewFirst') : data ? data.host || (data.why ? <Said of={data.why} /> : t('rules.previewPending')) : error ? `${service}.${project}.….nip.io` : '…'}
      </div>
      <span className="help">{t('rules.previewAbout')}</span>
      <span className="help in-text">
        {t('rules.autoAlone')}{' '}
        <Link to={`/projects/${project}/others/httproutes/new`} target="_blank">{t('rules.autoAloneLink')}</Link>
      </span>
    </div>
  )
}

function Domain({ id, project, rule, onChange, wrong }: { id: string; project: string; rule: RuleForm; onChange: (next: Partial<RuleForm>) => void; wrong: (field: string) => string | undefined }) {
  const { t } = useWords()
  return (
    <div className="choices">
      <Field id={`${id}-host`} label={t('rules.host')} wrong={wrong('host')} help={t('rules.hostHelp')}>
        <Input id={`${id}-host`} placeholder="demo.example.com" value={rule.host} {...(wrong('host') && { status: 'error' as const })} onChange={(event) => onChange({ host: event.target.value.trim() })} />
      </Field>
      <Field id={`${id}-protocol`} label={t('rules.protocol')}>
        <Select id={`${id}-protocol`} aria-label={t('rules.protocol')} value={rule.protocol} options={[{ value: 'http', label: 'HTTP' }, { value: 'https', label: 'HTTPS' }]} onChange={(protocol) => onChange({ protocol })} />
      </Field>
      {rule.protocol === 'https' && <SecretField id={`${id}-secret`} project={project} rule={rule} onChange={onChange} wrong={wrong('secret')} />}
    </div>
  )
}

function SecretField({ id, project, rule, onChange, wrong }: { id: string; project: string; rule: RuleForm; onChange: (next: Partial<RuleForm>) => void; wrong: string | undefined }) {
  const { t } = useWords()
  const rights = useRights(project)
  const listed = rights.can('list', KINDS.secret)
  const secrets = useLive<Secret>(KINDS.secret, listed ? project : undefined, { fieldSelector: 'type=kubernetes.io/tls' })
  const { data, error } = useCertificate(project, rule.secret, rule.host ? [rule.host] : [])
  return (
    <Field id={id} label={t('rules.secret')} wrong={wrong} help={listed && secrets.objects.length === 0 && !secrets.loading ? t('rules.noSecrets') : undefined}>
      {!listed ? <Input id={id} value={rule.secret} onChange={(event) => onChange({ secret: event.target.value.trim() })} {...(wrong && { status: 'error' as const })} /> : <Select id={id} aria-label={t('rules.secret')} showSearch value={rule.secret || null} placeholder={t('rules.secretChoose')} options={secrets.objects.map((it) => ({ value: it.metadata.name, label: it.metadata.name }))} onChange={(secret: string) => onChange({ secret })} {...(wrong && { status: 'error' as const })} />}
      {rule.secret && data && <CertificateLine data={data} host={rule.host} />}
      {rule.secret && error && <span className="faint">{t('rules.certUnknown')}</span>}
    </Field>
  )
}

/** Days beyond which nobody counts them. */
const LONG = 3650

export function CertificateLine({ data, host }: { data: NonNullable<ReturnType<typeof useCertificate>['data']>; host?: string }) {
  const { t, language } = useWords()
  const until = data.notAfter ? new Date(data.notAfter) : null
  const days = until ? Math.floor((until.getTime() - Date.now()) / 86_400_000) : null
  // That it has expired is said in the words of the page.
  if (data.problem && !(days !== null && days < 0)) return <State tone="bad">{data.problem}</State>
  const date = until?.toLocaleDateString(language === 'zh' ? 'zh-CN' : 'en') ?? ''
  const matches = !host || data.matches[host] === true
  return (
    <div className="stack tight">
      <span className="row">
        {days !== null && <State tone={days < 0 ? 'bad' : days < 30 ? 'warn' : 'good'}>{days < 0 ? t('cert.expired') : days > LONG ? t('cert.lasting', { date }) : t('cert.until', { date, days })}</State>}
        {host && <State tone={matches ? 'good' : 'warn'}>{t(matches ? 'cert.matches' : 'cert.matchesNot')}</State>}
      </span>
      <span className="faint wrap">{t('cert.names', { names: data.names.join(', ') || '—' })}</span>
    </div>
  )
}
