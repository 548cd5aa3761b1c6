// What this console cannot tell of a gateway, and the command that can, where there is one.
import { Code, Nothing } from '../../parts/basics'
import { useWords } from '../../words'

export function Elsewhere({ title, about, command }: { title: string; about: string; command: string | undefined }) {
  const { t } = useWords()
  return (
    <div className="card">
      <Nothing title={title}>{command ? t('elsewhere.about') : about}</Nothing>
      {command && (
        <div style={{ maxWidth: 640, margin: '0 auto', padding: '0 24px 40px' }}>
          <Code>{command}</Code>
        </div>
      )}
    </div>
  )
}
