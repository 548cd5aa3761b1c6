// Why a request was answered so: the route, what is done on the way, where it may go, and what was near.
import { stringify } from 'yaml'
import type { Explanation, Saying } from '../../api/console'
import { Code, Facts } from '../../parts/basics'
import { useWords } from '../../words'
import { original, useTell, useTellStep } from '../../words/messages'
import { chineseOf } from '../../words/reasons'
import { Said } from '../../words/said'
import { ObjectLink } from '../object'

/** Sentences in the language that is chosen; a newer server's stay in English. */
function useSpoken() {
  const { language } = useWords()
  const tell = useTell()
  return (said: Saying[] = [], english = '') => {
    const chinese = said.map((it) => chineseOf(it.reason, it.values, tell))
    return language === 'zh' && chinese.length > 0 && chinese.every((it) => it !== undefined) ? chinese.join('；') : english
  }
}

/** As many of what was near. */
const NEAR = 6

export function Why({ of }: { of: Explanation }) {
  const { t } = useWords()
  const spoken = useSpoken()
  const step = useTellStep()
  const { route, answer, sent, backends = [] } = of
  const weight = backends.reduce((all, it) => all + it.weight, 0)
  return (
    <div className="stack">
      {!route && <p>{t('try.noRoute')}</p>}
      <Facts
        of={[
          route && [t('try.route'), <ObjectLink of={route.object} />],
          route && [t('try.rule'), <code className="wrap">{route.rule}</code>],
          answer && [t('try.itself'), `${answer.status} ${answer.reason ?? ''} ${answer.location ?? ''}`],
          [t('try.through'), <span className="mono wrap">{[of.address, spoken(of.tlsSaid, of.tls ?? '')].filter(Boolean).join(' · ')}</span>],
          (sent?.target || sent?.host) && [t('try.sent'), <code className="wrap">{[sent.host, sent.target].filter(Boolean).join(' ')}</code>],
        ].map((it) => it || undefined) as React.ComponentProps<typeof Facts>['of']}
      />
      {backends.length > 0 && (
        <Part title={t('try.backends')}>
          {backends.map((it) => (
            <li key={it.backend} className="row">
              {backends.length > 1 && <span className="chip jade">{t('try.share', { share: weight > 0 ? Math.round((it.weight * 1000) / weight) / 10 : 0 })}</span>}
              <b className="wrap"><Said of={it.backend} /></b>
              <span className="faint mono wrap">{it.endpoints.join(', ') || t('flow.ready', { ready: 0, all: 0 })}</span>
            </li>
          ))}
        </Part>
      )}
      {route && route.filters.length > 0 && (
        <Part title={t('try.steps')}>
          {route.filters.map((it) => (
            <li key={it} className="wrap" {...original(it, step(it))}>{step(it)}</li>
          ))}
        </Part>
      )}
      <Near of={of} />
      <details>
        <summary className="soft">{t('try.raw')}</summary>
        <Code>{stringify(of).trimEnd()}</Code>
      </details>
    </div>
  )
}

function Near({ of: { others = [], absent = [] } }: { of: Explanation }) {
  const { t } = useWords()
  const spoken = useSpoken()
  const near = [...others.map((it) => ({ object: it.object, why: spoken(it.said, it.why) })), ...absent.map((it) => ({ object: it.object, why: spoken(it.said, it.why.join('; ')) }))]
  if (near.length === 0) return null
  return (
    <Part title={t('try.others')}>
      {near.slice(0, NEAR).map((it, index) => (
        <li key={index} className="in-text">
          <ObjectLink of={it.object} /> <span className="soft wrap">{it.why}</span>
        </li>
      ))}
      {near.length > NEAR && <li className="faint">{t('routes.more', { n: near.length - NEAR })}</li>}
    </Part>
  )
}

const Part = ({ title, children }: { title: string; children: React.ReactNode }) => (
  <div className="field">
    <span className="label">{title}</span>
    <ul className="stack tight">{children}</ul>
  </div>
)
