// Small parts that every page is made of.
import { useEffect, useState, type ReactNode } from 'react'
import { Button, Tooltip } from 'antd'
import { CheckCircleFilled, CheckOutlined, CloseCircleFilled, CopyOutlined, ExclamationCircleFilled, InfoCircleFilled, MinusCircleFilled, WarningFilled } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { ApiError } from '../api/client'
import { useWords, type Say } from '../words'
import { Said } from '../words/said'

export interface Crumb {
  text: string
  to?: string
}

/** The head of a page: where one is, what it is for, what can be done. */
export function Page({ title, about, crumbs = [], actions, beside, children }: { title: string; about?: ReactNode; crumbs?: Crumb[]; actions?: ReactNode; beside?: ReactNode; children: ReactNode }) {
  useEffect(() => void (document.title = `${title} · Paifang`), [title])
  const { t } = useWords()
  return (
    <>
      <div className="head">
        <div className="what">
          {crumbs.length > 0 && (
            <nav aria-label={t('nav.crumbs')}>
              <ol className="crumbs">
                {crumbs.map(({ text, to }) => (
                  <li key={text}>{to ? <Link to={to}>{text}</Link> : text}</li>
                ))}
              </ol>
            </nav>
          )}
          <div className="row">
            <h1>{title}</h1>
            {beside}
          </div>
          {about && <p className="about">{about}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  )
}

export function Card({ title, extra, children, bare }: { title?: ReactNode; extra?: ReactNode; children: ReactNode; bare?: boolean }) {
  return (
    <section className="card">
      {(title || extra) && (
        <header>
          {title && <h2>{title}</h2>}
          {extra}
        </header>
      )}
      {bare ? children : <div className="inside">{children}</div>}
    </section>
  )
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet'
const SHAPES = { good: CheckCircleFilled, warn: WarningFilled, bad: CloseCircleFilled, quiet: MinusCircleFilled }

export function State({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  const Shape = SHAPES[tone]
  const state = (
    <span className={`state ${tone}`}>
      <Shape aria-hidden />
      {children}
    </span>
  )
  return title ? <Tooltip title={<Said of={title} />}>{state}</Tooltip> : state
}

export function Note({ tone, children, action }: { tone: 'info' | 'warn' | 'bad'; children: ReactNode; action?: ReactNode }) {
  const Shape = { info: InfoCircleFilled, warn: ExclamationCircleFilled, bad: CloseCircleFilled }[tone]
  return (
    <div className={`note ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Shape aria-hidden />
      <div className="body">{children}</div>
      {action}
    </div>
  )
}

/** Why something did not work, in words. */
export function describe(error: unknown, t: Say): string {
  if (!(error instanceof ApiError)) return String(error)
  switch (error.reason) {
    case 'NoAnswer':
      return t('error.noAnswer')
    case 'Forbidden':
      return t('error.forbidden')
    case 'Conflict':
      return t('error.conflict')
    case 'AlreadyExists':
      return t('error.exists')
    case 'NotFound':
      return t('error.notFound')
    case 'Csrf':
      return t('error.csrf')
    case 'NotAvailable':
      return t('elsewhere.not')
    case 'MayNotLook':
      return t('elsewhere.mayNot')
    case 'NoKind':
      return t('elsewhere.noKind')
    case 'NoGateways':
      return t('elsewhere.noKinds')
    case 'TooManyRequests':
      return t('error.busy')
    default:
      if (error.status === 429) return t('error.busy')
      if (error.status >= 500) return t('error.server')
      return error.status === 422 || error.status === 400 ? t('error.invalid') : t('error.other')
  }
}

export function Trouble({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useWords()
  if (!error) return null
  const detail = error instanceof ApiError && error.reason !== 'NoAnswer' && (error.message || error.command) ? error : null
  const causes = detail?.causes.filter((cause) => cause.message) ?? []
  return (
    <Note tone={detail?.reason === 'NoKind' ? 'info' : 'bad'} action={onRetry && <Button onClick={onRetry}>{t('do.retry')}</Button>}>
      <b>{describe(error, t)}</b>
      {causes.length > 0 ? (
        <ul>
          {causes.map((cause, index) => (
            <li key={index}>
              {cause.field && <code>{cause.field}</code>} <Said of={cause.message} />
            </li>
          ))}
        </ul>
      ) : (
        detail?.message && <p><Said of={detail.message} /></p>
      )}
      {detail?.command && <Code>{detail.command}</Code>}
    </Note>
  )
}

export function Loading() {
  const { t } = useWords()
  return (
    <div className="spin" role="status">
      <span className="ring" aria-hidden />
      <span className="hidden">{t('state.loading')}</span>
    </div>
  )
}

/** Nothing is here yet: what it would be, and what to do. */
export function Nothing({ title, children, action, whole }: { title: string; children?: ReactNode; action?: ReactNode; /** It is the page. */ whole?: boolean }) {
  const Heading = whole ? 'h1' : 'h2'
  return (
    <div className="nothing">
      <svg viewBox="0 0 88 72" fill="none" stroke="currentColor" strokeWidth="2.500" strokeLinecap="round" aria-hidden>
        <path d="M6 16c12 4 25 6 38 6s26-2 38-6M16 33h56M22 22v42M66 22v42M36 22v11M52 22v11" />
        <path d="M10 64h24M54 64h24" opacity=".5" />
        <circle cx="44" cy="50" r="7" opacity=".5" strokeDasharray="3 4" />
      </svg>
      <Heading>{title}</Heading>
      {children && <p>{children}</p>}
      {action && <div className="row center">{action}</div>}
    </div>
  )
}

export function Copy({ text, label }: { text: string; label?: string }) {
  const { t } = useWords()
  const [done, setDone] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), 1_500)
    })
  }
  const name = done ? t('state.copied') : (label ?? t('do.copy'))
  return (
    <Tooltip title={name}>
      <Button type="text" size="small" className="copy" aria-label={name} icon={done ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />} onClick={copy} />
    </Tooltip>
  )
}

export function Code({ children }: { children: string }) {
  return (
    <div className="code">
      {/* A line is broken before a flag, not behind its hyphen. */}
      {children.split(/( -{1,2}[\w-]+)/).map((part, index) => (index % 2 ? <span key={index}> <span className="nowrap">{part.slice(1)}</span></span> : part))}
      <Copy text={children} />
    </div>
  )
}

/** A third word of a fact: it takes a line of its own. */
export function Facts({ of }: { of: (readonly [string, ReactNode, 'whole'?] | false | undefined)[] }) {
  return (
    <dl className="facts">
      {of.map(
        (fact) =>
          fact && (
            <div key={fact[0]} className={fact[2]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1] || '—'}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

/** A field of a form: its label, what it is for, and what is wrong with it. */
export function Field({ id, label, help, wrong, children }: { id: string; label: string; help?: ReactNode; wrong?: string | undefined; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {wrong ? (
        <span className="wrong" role="alert" id={`${id}-wrong`}>
          <Said of={wrong} />
        </span>
      ) : (
        help && <span className="help">{help}</span>
      )}
    </div>
  )
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3_600], ['minute', 60]]

/** How long ago; the exact time on demand. */
export function When({ at }: { at: string | undefined }) {
  const { language, t } = useWords()
  const now = useMinute()
  if (!at) return <>—</>
  const locale = language === 'zh' ? 'zh-CN' : 'en'
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000))
  const unit = UNITS.find(([, size]) => seconds >= size)
  const text = unit ? new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'long' }).format(-Math.floor(seconds / unit[1]), unit[0]) : t('time.now')
  return <time dateTime={at} title={new Date(at).toLocaleString(locale)}>{text}</time>
}

function useMinute(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000)
    return () => clearInterval(timer)
  }, [])
  return now
}

