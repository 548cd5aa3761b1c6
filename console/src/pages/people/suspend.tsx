// Suspending somebody, and taking it back.
import { Modal } from 'antd'
import { KINDS } from '../../api/kinds'
import { edit } from '../../api/objects'
import type { User } from '../../api/types'
import { Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
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
    <Modal open title={t(resumes ? 'users.resumeTitle' : 'users.suspendTitle', { name })} okText={t(`users.${word}`)} okButtonProps={{ danger: !resumes, loading: busy }} onOk={() => void save()} onCancel={onClose} footer={(buttons) => <div className="row between"><Command text={`paifang user ${word} ${name}`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        <p>{t(resumes ? 'users.resumeAbout' : 'users.suspendAbout', { name })}</p>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}
