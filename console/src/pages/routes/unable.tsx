// "Unable to access?": tries each hop on the way to a route, and marks the one that breaks, with its mend.
import { useState } from 'react'
import { Button } from 'antd'
import { CheckCircleFilled, CloseCircleFilled, QuestionCircleFilled } from '@ant-design/icons'
import { check, type Hop, type Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useMay } from '../../api/rights'
import { Card, Code, Note, Trouble } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { useTell } from '../../words/messages'
import { chineseOf } from '../../words/reasons'

/** As many as are tried at once. */
const MOST = 4

interface Props {
  gateway: Serving
  urls: string[]
  /** There are several, so that it says which gateway is asked. */
  named: boolean
}

/** Of a Gateway of Gateway API, through which nothing is tried from here. */
export function TryElsewhere({ gateway: { namespace, name }, urls, named }: Props) {
  const { t } = useWords()
  return (
    <Card title={named ? `${t('unable.title')} · ${namespace}/${name}` : t('unable.title')}>
      <div className="stack">
        <p className="soft">{t('unable.elsewhere', { gateway: `${namespace}/${name}` })}</p>
        {urls.slice(0, MOST).map((url) => <Code key={url}>{`paifang explain --live ${quoted(url)}`}</Code>)}
      </div>
    </Card>
  )
}

export function Unable({ gateway, urls, named }: Props) {
  const { t } = useWords()
  const [found, setFound] = useState<{ url: string; hops: Hop[] }[] | null>(null)
  const project = useParam('project')
  const { busy, error, run } = useDoing()
  const may = useMay('get', KINDS.ingressGateway, gateway.namespace, gateway.name)
  const start = () => void run(async () => setFound(await Promise.all(urls.slice(0, MOST).map(async (url) => ({ url, hops: (await check(gateway.namespace, gateway.name, url, project)).hops })))))
  return (
    <Card
      title={named ? `${t('unable.title')} · ${gateway.namespace}/${gateway.name}` : t('unable.title')}
      extra={
        may && (
          <Button loading={busy} onClick={start} disabled={urls.length === 0}>
            {t('unable.check')}
          </Button>
        )
      }
    >
      <div className="stack">
        {!found && <p className="soft">{t(may === false ? 'unable.mayNot' : 'unable.about', { gateway: `${gateway.namespace}/${gateway.name}` })}</p>}
        {may === false && urls[0] && <Code>{`paifang explain --live ${quoted(urls[0])}`}</Code>}
        {Boolean(error) && <Trouble error={error} />}
        {found?.map(({ url, hops }) => (
          <section key={url} aria-label={url}>
            <b className="wrap">{url}</b>
            {hops.every((it) => it.verdict === 'good') && <Note tone="info"><p>{t('unable.fine')}</p></Note>}
            {hops.map((hop) => (
              <HopLine key={hop.hop} hop={hop} />
            ))}
          </section>
        ))}
        {found && urls.length > MOST && <p className="faint">{t('routes.more', { n: urls.length - MOST })}</p>}
      </div>
    </Card>
  )
}

const SHAPES = { good: CheckCircleFilled, broken: CloseCircleFilled, unknown: QuestionCircleFilled }
const COLORS = { good: 'var(--good)', broken: 'var(--bad)', unknown: 'var(--faint)' }

function HopLine({ hop }: { hop: Hop }) {
  const { t } = useWords()
  const { said, mend } = useSaid(hop)
  const Shape = SHAPES[hop.verdict]
  return (
    <div className={`hop ${hop.verdict}`}>
      <Shape style={{ color: COLORS[hop.verdict] }} aria-label={t(`verdict.${hop.verdict}`)} />
      <div className="wrap">
        <b>{t(`hop.${hop.hop}`)}</b>
        <p className="soft">{said}</p>
        {hop.verdict === 'broken' && mend && <p>{mend}</p>}
      </div>
    </div>
  )
}

/** In the language that was chosen; as the server said it, where there are no words for it. */
function useSaid({ verdict, said, reason, values, partlySeen, mend, mendReason, mendValues }: Hop): { said: string; mend: string } {
  const { t, language } = useWords()
  const tell = useTell()
  const chinese = language === 'zh' ? chineseOf(reason, values ?? {}, tell) : undefined
  const partly = partlySeen && verdict !== 'good' ? t(verdict === 'broken' ? 'unable.asFarAsSeen' : 'unable.partlySeen', { said: chinese ?? '' }) : chinese
  return { said: chinese === undefined ? said : (partly ?? said), mend: (language === 'zh' && chineseOf(mendReason, mendValues ?? {}, tell)) || (mend ?? '') }
}
