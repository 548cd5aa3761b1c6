// Suspending somebody, and taking it back.
import { KINDS } from '../../api/kinds'
import { edit } from '../../api/objects'
import type { User } from '../../api/types'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'

export function SuspendDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useWords()
  const { busy, error, run } = useDoing()
  const { name } = user.metadata
  const resumes = user.spec.suspended === true
  const word = resumes ? 'resume' : 'suspend'
  const save = async () => {
    const { suspended: _, ...spec } = user.spec
    if (!(await run(() => edit(KINDS.user, user, { ...user, spec: resumes ? spec : { ...spec, suspended: true } })))) return
    say(t(resumes ? 'said.resumed' : 'said.suspended', { who: name }))
    onClose()
  }
  return (
    <FormDialog title={t(resumes ? 'users.resumeTitle' : 'users.suspendTitle', { name })} command={`paifang user ${word} ${name}`} does={t(`users.${word}`)} busy={busy} error={error} danger={!resumes} onDo={() => void save()} onClose={onClose}>
      <p>{t(resumes ? 'users.resumeAbout' : 'users.suspendAbout', { name })}</p>
    </FormDialog>
  )
}
