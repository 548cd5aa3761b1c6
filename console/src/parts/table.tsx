// A list of objects: search, order, pages, and what to do when there are none.
import { useMemo, useState, type ReactNode } from 'react'
import { Input, Table } from 'antd'
import { SearchOutlined } from '@ant-design/icons'
import type { Live } from '../api/live'
import type { Obj } from '../api/types'
import { keyOf } from '../api/watch'
import { aliasOf, descriptionOf } from '../forms/names'
import { useWords } from '../words'
import { Loading, Note, Trouble, When } from './basics'

export interface Column<T> {
  key: string
  title: string
  cell: (object: T) => ReactNode
  /** What it is ordered by. */
  by?: (object: T) => string | number
  /** Left away where there is little room. */
  wide?: boolean
  width?: number
}

interface Props<T extends Obj> {
  label: string
  live: Live<T>
  columns: Column<T>[]
  /** What a search looks at, beside name and alias. */
  text?: (object: T) => string
  filters?: ReactNode
  menu?: (object: T) => ReactNode
  /** By name, unless another order says more. */
  order?: (a: T, b: T) => number
  empty: ReactNode
}

const PAGE = 20
const byName = (a: Obj, b: Obj) => a.metadata.name.localeCompare(b.metadata.name)

export function ObjectTable<T extends Obj>({ label, live, columns, text, filters, menu, order = byName, empty }: Props<T>) {
  const { t } = useWords()
  const [wanted, setWanted] = useState('')
  const shown = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
    const found = live.objects.filter((it) => {
      const all = `${it.metadata.name} ${aliasOf(it)} ${it.metadata.namespace ?? ''} ${text?.(it) ?? ''}`.toLowerCase()
      return words.every((word) => all.includes(word))
    })
    return [...found].sort(order)
  }, [live.objects, wanted, text, order])
  const drawn = useMemo(() => columns.map((column) => asAntd(column)), [columns])
  if (live.error) return <Trouble error={live.error} />
  if (live.loading) return <Loading />
  if (live.objects.length === 0) return <div className="card">{empty}</div>
  const all = menu ? [...drawn, { key: 'menu', title: <span className="hidden">{t('do.more')}</span>, width: 64, align: 'right' as const, render: (_: unknown, it: T) => menu(it) }] : drawn
  return (
    <div className="card">
      <div className="filters">
        <Input className="grow" allowClear prefix={<SearchOutlined aria-hidden />} placeholder={t('do.search')} aria-label={`${t('do.search')}: ${label}`} value={wanted} onChange={(event) => setWanted(event.target.value)} />
        {filters}
        <span className="faint" role="status">
          {t('table.count', { shown: shown.length, all: live.objects.length })}
        </span>
      </div>
      {live.stale && <Note tone="warn">{t('state.stale')}</Note>}
      <Table<T>
        rowKey={keyOf}
        columns={all}
        dataSource={shown}
        size="middle"
        pagination={shown.length > PAGE ? { pageSize: PAGE, showSizeChanger: false, placement: ['bottomEnd'] } : false}
        locale={{ emptyText: t('table.noneFound') }}
        scroll={{ x: true }}
      />
    </div>
  )
}

function asAntd<T extends Obj>({ key, title, cell, by, wide, width }: Column<T>) {
  const compare = by && ((a: T, b: T) => compared(by(a), by(b)))
  return {
    key,
    title,
    render: (_: unknown, object: T) => cell(object),
    ...(compare && { sorter: compare }),
    ...(width && { width }),
    ...(wide && { responsive: ['md' as const] }),
  }
}

const compared = (a: string | number, b: string | number) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }))

/** Name, alias and description, as the first column of every list. */
export function NameCell({ object, link }: { object: Obj; link: ReactNode }) {
  const alias = aliasOf(object)
  const description = descriptionOf(object)
  return (
    <div className="name-cell">
      {link}
      {(alias || description) && <div className="faint">{[alias, description].filter(Boolean).join(' · ')}</div>}
    </div>
  )
}

export const ageColumn = <T extends Obj>(title: string): Column<T> => ({
  key: 'age',
  title,
  cell: (it) => <When at={it.metadata.creationTimestamp} />,
  by: (it) => -Date.parse(it.metadata.creationTimestamp ?? ''),
  wide: true,
  width: 140,
})
