// What the detail page of every object has: labels and annotations, events, conditions.
import { useMemo, type ReactNode } from 'react'
import { Table, Tabs } from 'antd'
import { KINDS } from '../api/kinds'
import { useLive } from '../api/live'
import type { Condition, Event, Obj } from '../api/types'
import { useWords } from '../words'
import { conditionName, reasonName } from '../words/conditions'
import { Said } from '../words/said'
import { Card, Copy, Nothing, State, Trouble, When } from './basics'
import { isPast, seenAt, standingFirst } from './past'
import { conditionTone } from './tones'

export function Metadata({ object }: { object: Obj }) {
  const { t } = useWords()
  const { labels = {}, annotations = {} } = object.metadata
  return (
    <div className="stack">
      {([['meta.labels', labels], ['meta.annotations', annotations]] as const).map(([title, map]) => (
        <Card key={title} title={t(title)} bare>
          {Object.keys(map).length === 0 ? (
            <div className="inside soft">{t('meta.none')}</div>
          ) : (
            <Table
              size="small"
              rowKey={([key]) => key}
              pagination={false}
              dataSource={Object.entries(map)}
              columns={[
                { title: t('entries.key'), width: '45%', render: (_, [key]) => <code className="wrap">{key}</code> },
                {
                  title: t('entries.value'),
                  render: (_, [, value]) => (
                    <span className="wrap">
                      <code>{value.length > 400 ? `${value.slice(0, 400)}…` : value}</code> <Copy text={value} />
                    </span>
                  ),
                },
              ]}
            />
          )}
        </Card>
      ))}
    </div>
  )
}

interface EventsProps {
  of: Obj
  namespace?: string
  /** Which are over; the object's own conditions say it otherwise. */
  past?: (event: Event) => boolean
}

export function Events({ of, namespace, past = (event) => isPast(event, of) }: EventsProps) {
  const { t } = useWords()
  const { uid, name, namespace: own } = of.metadata
  const live = useLive<Event>(KINDS.event, namespace ?? own ?? 'default')
  const mine = useMemo(() => live.objects.filter((it) => (it.involvedObject?.uid ? it.involvedObject.uid === uid : it.involvedObject?.name === name && it.involvedObject.kind === of.kind)), [live.objects, uid, name, of.kind])
  if (live.error) return <Trouble error={live.error} />
  if (mine.length === 0) return <div className="card"><Nothing title={t('events.none')}>{t('events.noneAbout')}</Nothing></div>
  return (
    <Card bare>
      <Table
        size="middle"
        rowKey={(it) => it.metadata.name}
        dataSource={standingFirst(mine, past)}
        rowClassName={(it) => (past(it) ? 'past' : '')}
        pagination={mine.length > 20 ? { pageSize: 20 } : false}
        columns={[
          { title: t('events.type'), width: 140, render: (_, it) => <EventState past={past(it)} warns={it.type === 'Warning'} /> },
          { title: t('events.reason'), width: 200, render: (_, it) => <Reason of={it.reason} />, responsive: ['md'] },
          { title: t('events.message'), render: (_, it) => <><Message of={it.message} /><div className="faint narrow-only"><When at={seenAt(it)} /></div></> },
          { title: t('events.last'), width: 140, responsive: ['md'], render: (_, it) => <When at={seenAt(it)} /> },
        ]}
      />
    </Card>
  )
}

/** `past`: it has been mended since. */
export function EventState({ warns, past, children }: { warns: boolean; past: boolean; children?: ReactNode }) {
  const { t } = useWords()
  if (past) return <State tone="quiet">{children && <>{children} · </>}{t('events.past')}</State>
  return <State tone={warns ? 'warn' : 'good'}>{children ?? t(warns ? 'events.warning' : 'events.normal')}</State>
}

/** In words, where there are some; the word of the API stays beside it, for it is what one searches for. */
export function Reason({ of = '' }: { of: string | undefined }) {
  const { language } = useWords()
  const said = reasonName(of, language)
  return said ? <>{said} <code className="faint">{of}</code></> : <code>{of}</code>
}

export const Message = ({ of }: { of: string | undefined }) => <Said of={of} className="wrap" />

export function Conditions({ of }: { of: Condition[] | undefined }) {
  const { t, language } = useWords()
  if (!of?.length) return <p className="inside soft">{t('conditions.none')}</p>
  return (
    <Table
      size="small"
      rowKey={(it) => `${it.type} ${it.reason} ${it.message}`}
      pagination={false}
      dataSource={of}
      columns={[
        { title: t('conditions.type'), render: (_, it) => <State tone={conditionTone(it)}>{conditionName(it.type, language)}</State> },
        { title: t('conditions.reason'), width: 180, render: (_, it) => <Reason of={it.reason} />, responsive: ['md'] },
        { title: t('conditions.message'), width: '60%', render: (_, it) => <Message of={it.message} /> },
      ]}
    />
  )
}

export interface Tab {
  key: string
  label: string
  children: React.ReactNode
}

export const DetailTabs = ({ tabs, active, onChange }: { tabs: Tab[]; active?: string | undefined; onChange?: (key: string) => void }) => (
  <Tabs items={tabs} destroyOnHidden {...(active && { activeKey: active })} {...(onChange && { onChange })} />
)
