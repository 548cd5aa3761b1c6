// The lists of the overview: problems, certificates, what has happened.
import { useMemo } from 'react'
import { Link } from '@tanstack/react-router'
import type { Event } from '../../api/types'
import { Card, State, When } from '../../parts/basics'
import { EventState } from '../../parts/details'
import { seenAt } from '../../parts/past'
import { useWords } from '../../words'
import { reasonName } from '../../words/conditions'
import { original } from '../../words/messages'
import { Said, Ticked } from '../../words/said'
import { usePast } from '../past'
import { LONG, type Ending } from './certificates'
import type { Problem } from './problems'

/** As many are shown at first. */
const SHOWN = 8

export function Problems({ of, more }: { of: Problem[]; more: string | undefined }) {
  const { t } = useWords()
  if (of.length === 0)
    return (
      <div className="card calm">
        <State tone="good">{t('overview.noProblems')}</State>
        <span className="soft">{t('overview.allFine')}</span>
      </div>
    )
  return (
    <Card title={<span className="row">{t('overview.problems')} <State tone={of[0]?.tone === 'bad' ? 'bad' : 'warn'}>{String(of.length)}</State></span>} extra={more && <Link to={more}>{t('overview.toRoutes')}</Link>} bare>
      <ul className="lines">
        {of.slice(0, SHOWN).map((it) => (
          <li key={`${it.to} ${it.text}`} className={`problem ${it.tone}`}>
            <span className="row">
              <State tone={it.tone}>{it.kind}</State>
              <Link to={it.to} className="strong wrap">{it.where}</Link>
            </span>
            <span className="soft wrap" {...original(it.english, it.text)}><Ticked>{it.text}</Ticked></span>
          </li>
        ))}
        {of.length > SHOWN && <li className="faint">{t('routes.more', { n: of.length - SHOWN })}</li>}
      </ul>
    </Card>
  )
}

export function Certificates({ of, project }: { of: Ending[]; project: string }) {
  const { t } = useWords()
  const counted = of.filter((it) => it.days !== null && it.days <= LONG)
  return (
    <Card title={t('overview.certificates')} bare={counted.length > 0}>
      {counted.length === 0 ? (
        <p className="soft">{t(of.length === 0 ? 'overview.noCertificates' : 'overview.noExpiry')}</p>
      ) : (
        <ul className="lines">
          {counted.slice(0, 5).map(({ namespace, name, days }) => (
            <li key={`${namespace}/${name}`}>
              <span className="row" style={{ justifyContent: 'space-between' }}>
                <Link to={`/projects/${namespace}/secrets`} className="wrap">{project ? name : `${namespace}/${name}`}</Link>
                <Days days={days ?? 0} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function Days({ days }: { days: number }) {
  const { t } = useWords()
  return <State tone={days < 0 ? 'bad' : days <= 30 ? 'warn' : 'good'}>{days < 0 ? t('cert.expired') : t('overview.daysLeft', { days })}</State>
}

export function Recent({ events, project }: { events: readonly Event[]; project: string }) {
  const { t, language } = useWords()
  const past = usePast(events, project)
  const newest = useMemo(() => [...events].sort((a, b) => seenAt(b).localeCompare(seenAt(a))).slice(0, SHOWN), [events])
  return (
    <Card title={t('overview.recent')} extra={project && <Link to={`/projects/${project}/events`}>{t('overview.toEvents')}</Link>} bare={newest.length > 0}>
      {newest.length === 0 ? (
        <p className="soft">{t('overview.nothingRecent')}</p>
      ) : (
        <ul className="lines">
          {newest.map((it) => (
            <li key={it.metadata.uid ?? it.metadata.name} className={past(it) ? 'past' : ''}>
              <span className="row" style={{ justifyContent: 'space-between' }}>
                <span className="row">
                  <EventState warns={it.type === 'Warning'} past={past(it)}>{reasonName(it.reason, language) || it.reason}</EventState>
                  <b className="wrap">{project ? it.involvedObject?.name : `${it.involvedObject?.namespace ?? ''}/${it.involvedObject?.name ?? ''}`}</b>
                </span>
                <span className="faint"><When at={seenAt(it)} /></span>
              </span>
              <Said of={it.message} className="soft wrap clamp" />
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
