// What an answer is without, where a gateway's pods were asked.
import type { PodsAsked } from '../../api/console'
import { Note } from '../../parts/basics'
import { useWords } from '../../words'
import { useTell } from '../../words/messages'

export function Without({ pods }: { pods: PodsAsked | undefined }) {
  const { t } = useWords()
  const tell = useTell()
  if (!pods) return null
  const said = [
    ...(pods.asked === 0 ? [t('pods.noneReady')] : []),
    ...pods.silent.map((it) => t('pods.silent', { pod: it.pod, why: tell(it.why) })),
    ...(pods.leftOut > 0 ? [t('pods.leftOut', { n: pods.leftOut })] : []),
    ...(pods.searched ? [t('pods.searched', { n: pods.searched.toLocaleString() })] : []),
  ]
  if (said.length === 0) return null
  return (
    <Note tone="warn">
      {said.map((it) => (
        <p key={it}>{it}</p>
      ))}
    </Note>
  )
}
