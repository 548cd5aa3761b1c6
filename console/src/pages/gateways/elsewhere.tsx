// What this console cannot tell of a gateway, and the command that can, where there is one.
import type { ApiError } from '../../api/client'
import { Code, Nothing } from '../../parts/basics'
import { useWords } from '../../words'

export function Elsewhere({ title, about, refusal: { reason, command } }: { title: string; about: string; refusal: ApiError }) {
  const { t } = useWords()
  return (
    <div className="card">
      <Nothing title={title}>{command ? t(reason === 'MayNotLook' ? 'elsewhere.mayNot' : 'elsewhere.about') : about}</Nothing>
      {command && (
        <div style={{ maxWidth: 640, margin: '0 auto', padding: '0 24px 40px' }}>
          <Code>{command}</Code>
        </div>
      )}
    </div>
  )
}
