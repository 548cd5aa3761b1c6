// A gateway's access log: the newest lines as they are written, searched and exported.
import { useEffect, useRef, useState } from 'react'
import { Button, Input, Switch } from 'antd'
import { DownloadOutlined, SearchOutlined } from '@ant-design/icons'
import { ApiError, open } from '../../api/client'
import { logsPath, type PodsAsked } from '../../api/console'
import { Card, Nothing, State, Trouble } from '../../parts/basics'
import { useWords } from '../../words'
import { Elsewhere } from './elsewhere'
import { Without } from './without'

type Entry = Record<string, unknown> & { id: number; pods?: PodsAsked }
const KEPT = 1_000

/** The last lines that match, and those that follow. */
function useLog(namespace: string, name: string, search: string, follow: boolean) {
  const [entries, setEntries] = useState<Entry[]>([])
  const [pods, setPods] = useState<PodsAsked>()
  const [error, setError] = useState<unknown>(null)
  const next = useRef(0)
  useEffect(() => {
    const ending = new AbortController()
    setEntries([])
    setPods(undefined)
    setError(null)
    const read = async () => {
      const query = { limit: String(KEPT), ...(search && { search }), ...(follow && { follow: '1' }) }
      const body = (await open(logsPath(namespace, name, query), { signal: ending.signal })).body
      const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
      let rest = ''
      for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
        const parts = (rest + piece.value).split('\n')
        rest = parts.pop() ?? ''
        const all = parts.filter(Boolean).flatMap((line) => parsed(line, next))
        const said = all.find((it) => it.pods)
        if (said) setPods(said.pods)
        const fresh = all.filter((it) => !it.pods)
        if (fresh.length > 0) setEntries((before) => [...before, ...fresh].slice(-KEPT))
      }
    }
    const timer = setTimeout(() => void read().catch((refusal: unknown) => ending.signal.aborted || setError(refusal)), search ? 300 : 0)
    return () => {
      clearTimeout(timer)
      ending.abort()
    }
  }, [namespace, name, search, follow])
  return { entries, pods, error }
}

function parsed(line: string, next: { current: number }): Entry[] {
  try {
    return [{ ...(JSON.parse(line) as Record<string, unknown>), id: next.current++ }]
  } catch {
    return []
  }
}

export function Logs({ namespace, name }: { namespace: string; name: string }) {
  const { t } = useWords()
  const [search, setSearch] = useState('')
  const [follow, setFollow] = useState(true)
  const { entries, pods, error } = useLog(namespace, name, search, follow)
  if (error instanceof ApiError && [404, 501].includes(error.status))
    return <Elsewhere title={t('logs.none')} about={t('logs.unavailable')} refusal={error} />
  return (
    <Card bare>
      <div className="filters">
        <Input className="grow" allowClear prefix={<SearchOutlined aria-hidden />} aria-label={t('logs.search')} placeholder={t('logs.search')} value={search} onChange={(event) => setSearch(event.target.value)} />
        <label className="row">
          <Switch size="small" checked={follow} onChange={setFollow} aria-label={t('logs.follow')} /> {t('logs.follow')}
        </label>
        <span style={{ flex: 1 }} />
        <Button icon={<DownloadOutlined aria-hidden />} href={logsPath(namespace, name, { ...(search && { search }), download: '1' })} download>
          {t('logs.export')}
        </Button>
      </div>
      {Boolean(error) && <Trouble error={error} />}
      <Without pods={pods} />
      {entries.length === 0 ? <Nothing title={t(search ? 'logs.noMatch' : 'logs.none')}>{t('logs.noneAbout')}</Nothing> : <Lines entries={entries} />}
    </Card>
  )
}

const text = (entry: Entry, ...keys: string[]) => {
  const found = keys.map((key) => entry[key]).find((it) => it !== undefined && it !== null)
  return found === undefined ? '' : String(found)
}

/** `2026-01-31 08:15:00.123`, where who reads it is; the day where there is room. */
function Clock({ at }: { at: string }) {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return <>{at}</>
  const here = new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString()
  return (
    <>
      <span className="wide-only">{here.slice(0, 10)} </span>
      {here.slice(11, 23)}
    </>
  )
}

function Lines({ entries }: { entries: Entry[] }) {
  const { t } = useWords()
  return (
    <div className="log scroll" tabIndex={0} role="region" aria-label={t('gateway.logs')}>
      <table>
        <thead>
          <tr>
            <th>{t('logs.time')}</th>
            <th>{t('logs.answer')}</th>
            <th>{t('logs.request')}</th>
            <th>{t('logs.took')}</th>
            <th>{t('logs.to')}</th>
            <th>{t('logs.from')}</th>
          </tr>
        </thead>
        <tbody>
          {entries.toReversed().map((entry) => entry.line !== undefined ? (
            <tr key={entry.id}>
              <td><Clock at={text(entry, 'time')} /></td>
              <td className="long" colSpan={5}>{text(entry, 'line')}</td>
            </tr>
          ) : (
            <tr key={entry.id}>
              <td><Clock at={text(entry, 'time', 'at')} /></td>
              <td>
                <Status code={Number(text(entry, 'status'))} />
              </td>
              <td className="long">
                {text(entry, 'method')} {text(entry, 'host')}
                {text(entry, 'path', 'uri', 'target')} {text(entry, 'reason') && <span className="chip">{text(entry, 'reason')}</span>}
              </td>
              <td>{text(entry, 'duration_ms', 'ms', 'duration')}</td>
              <td>{text(entry, 'backend', 'endpoint', 'upstream', 'route')}</td>
              <td>{text(entry, 'client', 'remote', 'peer')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const Status = ({ code }: { code: number }) => <State tone={code >= 500 ? 'bad' : code >= 400 ? 'warn' : code > 0 ? 'good' : 'quiet'}>{code || '—'}</State>
