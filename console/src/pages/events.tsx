// Events: what has happened to the objects of a project, the newest first.
import { useCallback, useMemo, useState } from 'react'
import { Switch } from 'antd'
import { KINDS } from '../api/kinds'
import { useLive } from '../api/live'
import type { Event } from '../api/types'
import { Nothing, Page, When } from '../parts/basics'
import { Command } from '../parts/command'
import { EventState, Reason } from '../parts/details'
import { seenAt } from '../parts/past'
import { ObjectTable, type Column } from '../parts/table'
import { useParam } from '../shell/params'
import { useWords } from '../words'
import { reasonName } from '../words/conditions'
import { Said } from '../words/said'
import { ObjectLink, type Named } from './object'
import { usePast } from './past'

export function Events() {
  const { t, language } = useWords()
  const project = useParam('project')
  const live = useLive<Event>(KINDS.event, project)
  const [warnings, setWarnings] = useState(false)
  const past = usePast(live.objects, project)
  const columns = useColumns(past)
  const order = useCallback((a: Event, b: Event) => Number(past(a)) - Number(past(b)) || newestFirst(a, b), [past])
  const shown = useMemo(() => (warnings ? { ...live, objects: live.objects.filter((it) => it.type === 'Warning') } : live), [live, warnings])
  const text = (it: Event) => `${it.reason ?? ''} ${reasonName(it.reason ?? '', language)} ${it.message ?? ''} ${it.involvedObject?.kind ?? ''} ${it.involvedObject?.name ?? ''}`
  const filter = (
    <label className="row">
      <Switch checked={warnings} onChange={setWarnings} aria-label={t('events.onlyWarnings')} /> {t('events.onlyWarnings')}
    </label>
  )
  return (
    <Page title={t('events.title')} about={t('events.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]} actions={<Command text={`kubectl get events -n ${project} --sort-by=.lastTimestamp`} />}>
      <ObjectTable label={t('events.title')} live={shown} columns={columns} text={text} filters={filter} order={order} empty={<Nothing title={t('events.none')}>{t('events.noneAbout')}</Nothing>} />
    </Page>
  )
}

const newestFirst = (a: Event, b: Event) => seenAt(b).localeCompare(seenAt(a))

const objectOf = ({ involvedObject: of, metadata }: Event): Named => ({ kind: of?.kind ?? '', namespace: of?.namespace ?? metadata.namespace ?? '', name: of?.name ?? '', apiVersion: of?.apiVersion })

function useColumns(past: (event: Event) => boolean): Column<Event>[] {
  const { t } = useWords()
  return useMemo(
    () => [
      { key: 'type', title: t('events.type'), cell: (it) => <EventState warns={it.type === 'Warning'} past={past(it)} />, by: (it) => it.type ?? '', width: 120 },
      { key: 'object', title: t('events.object'), width: 190, wide: true, cell: (it) => <ObjectLink of={objectOf(it)} inProject />, by: (it) => `${it.involvedObject?.kind} ${it.involvedObject?.name}` },
      { key: 'reason', title: t('events.reason'), cell: (it) => <Reason of={it.reason} />, by: (it) => it.reason ?? '', wide: true },
      { key: 'message', title: t('events.message'), cell: (it) => <><div className="narrow-only"><ObjectLink of={objectOf(it)} inProject /></div><Said of={it.message} className="wrap" /><div className="faint narrow-only"><When at={seenAt(it)} /></div></> },
      { key: 'last', title: t('events.last'), cell: (it) => <When at={seenAt(it)} />, by: (it) => -Date.parse(seenAt(it)), wide: true, width: 140 },
    ],
    [t, past],
  )
}
