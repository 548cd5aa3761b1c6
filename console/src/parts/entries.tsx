// Rows of key and value, with suggestions, what a key means, and what is wrong with a row.
import { useMemo } from 'react'
import { AutoComplete, Button, Input } from 'antd'
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import type { Hint } from '../api/console'
import { entryProblems, type Entry } from '../forms/entries'
import { useWords } from '../words'
import { Said, Ticked } from '../words/said'

interface Props {
  label: string
  of: 'annotations' | 'labels' | 'options'
  rows: Entry[]
  onChange: (rows: Entry[]) => void
  hints?: Hint[]
  addText: string
  /** What the API says to a key's value. */
  said?: ((key: string) => string | undefined) | undefined
}

export function EntryRows({ label, of, rows, onChange, hints = [], addText, said }: Props) {
  const { t, language } = useWords()
  const problems = entryProblems(rows, of)
  const change = (index: number, next: Partial<Entry>) => onChange(rows.map((row, i) => (i === index ? { ...row, ...next } : row)))
  const offered = useMemo(() => [...hints].sort((a, b) => Number(a.support === 'no') - Number(b.support === 'no')), [hints])
  const used = new Set(rows.map((row) => row.key))
  return (
    <div className="stack tight" role="group" aria-label={label}>
      {rows.map((row, index) => {
        const hint = hints.find((it) => it.name === row.key)
        const problem = problems.get(index)
        const judged = problem ? undefined : said?.(row.key.trim())
        const unknown = !hint && hints.length > 0 && of === 'options' && row.key !== ''
        return (
          <div key={index}>
            <div className="pair-row">
              <AutoComplete
                aria-label={`${t('entries.key')} ${index + 1}`}
                placeholder={t('entries.key')}
                value={row.key}
                options={offered.filter((it) => it.name === row.key || !used.has(it.name)).map((it) => ({ value: it.name, label: <Offered of={it} /> }))}
                popupMatchSelectWidth={false}
                showSearch={{ filterOption: (typed, option) => String(option?.value).includes(typed) }}
                onChange={(key: string) => change(index, { key })}
                {...(problem && { status: 'error' as const })}
              />
              {hint?.values?.length ? (
                <AutoComplete aria-label={`${t('entries.value')} ${index + 1}`} placeholder={hint.default ?? t('entries.value')} value={row.value} options={hint.values.map((value) => ({ value }))} onChange={(value: string) => change(index, { value })} />
              ) : (
                <Input aria-label={`${t('entries.value')} ${index + 1}`} placeholder={hint?.default ?? t('entries.value')} value={row.value} onChange={(event) => change(index, { value: event.target.value })} />
              )}
              <Button type="text" icon={<DeleteOutlined aria-hidden />} aria-label={t('entries.remove', { key: row.key || index + 1 })} onClick={() => onChange(rows.filter((_, i) => i !== index))} />
            </div>
            {problem || judged ? (
              <div className="field">
                <span className="wrong" role="alert">
                  {problem ? t(`entries.problem.${problem}`) : <Said of={judged} />}
                </span>
              </div>
            ) : (
              (hint?.about || unknown) && (
                <div className="faint">
                  {hint?.support === 'no' && <b>{t('entries.ignored')} </b>}
                  {hint?.support === 'partly' && <b>{t('entries.partly')} </b>}
                  {hint?.about && <Ticked>{hint.about[language]}</Ticked>}
                  {unknown && t('entries.unknown')}
                </div>
              )
            )}
          </div>
        )
      })}
      <div>
        <Button type="dashed" icon={<PlusOutlined aria-hidden />} onClick={() => onChange([...rows, { key: '', value: '' }])}>
          {addText}
        </Button>
      </div>
    </div>
  )
}

/** What does nothing here is offered last, and says so. */
function Offered({ of: { name, support } }: { of: Hint }) {
  const { t } = useWords()
  return (
    <span className="offered">
      <span>{name}</span>
      {support === 'no' && <span className="faint">{t('entries.ignored')}</span>}
    </span>
  )
}
