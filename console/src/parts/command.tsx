// The same by kubectl or by the command line: each action can be learned, scripted and checked.
import { Button, Popover } from 'antd'
import { CodeOutlined } from '@ant-design/icons'
import { Code } from './basics'
import { useWords } from '../words'

export function Command({ text }: { text: string | string[] }) {
  const { t } = useWords()
  const lines = Array.isArray(text) ? text : [text]
  const content = (
    <div className="stack tight" style={{ width: 'min(520px, 80vw)' }}>
      {lines.map((line) => (
        <Code key={line}>{line}</Code>
      ))}
    </div>
  )
  return (
    <Popover content={content} title={t('command.title')} trigger="click" placement="bottomRight">
      <Button type="text" icon={<CodeOutlined aria-hidden />} aria-label={`kubectl: ${t('command.title')}`}>
        kubectl
      </Button>
    </Popover>
  )
}

/** A word as a shell takes it. */
export const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
