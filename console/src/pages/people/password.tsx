// A one-time password for somebody: made, shown once, and to be changed at the first sign-in.
import { useState } from 'react'
import { Modal } from 'antd'
import { ApiError, ask } from '../../api/client'
import { KINDS, objectPath } from '../../api/kinds'
import { Code, Note, Trouble } from '../../parts/basics'
import { Command } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { useWords } from '../../words'

/** Good for choosing another: 20 letters and digits, no two of which look alike. */
function oneTime(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  return [...crypto.getRandomValues(new Uint8Array(20))].map((byte) => letters[byte % letters.length]).join('')
}

/** The new password; `''` where the API has none, as a cluster's own. */
export async function giveOneTime(name: string): Promise<string> {
  const newPassword = oneTime()
  try {
    await ask(`${objectPath(KINDS.user, name)}/password`, { method: 'POST', body: { newPassword, mustChange: true } })
    return newPassword
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return ''
    throw error
  }
}

export function OneTime({ name, password }: { name: string; password: string }) {
  const { t } = useWords()
  return (
    <div className="stack">
      <Note tone="info">
        <p>{t(password ? 'users.oneTime' : 'users.noPasswords', { name })}</p>
      </Note>
      <Code>{password || `paifang user kubeconfig ${name} --file ${name}.kubeconfig`}</Code>
    </div>
  )
}

export function PasswordDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useWords()
  const [made, setMade] = useState<string | null>(null)
  const { busy, error, run } = useDoing()
  const finish = () => (made === null ? void run(async () => setMade(await giveOneTime(name))) : onClose())
  return (
    <Modal open title={t('users.setPassword')} okText={t(made === null ? 'users.makePassword' : 'do.close')} okButtonProps={{ loading: busy }} cancelButtonProps={made === null ? {} : { style: { display: 'none' } }} onOk={finish} onCancel={onClose} mask={{ closable: made === null }} footer={(buttons) => <div className="row between"><Command text={`paifang user password ${name}`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        {made === null ? <p>{t('users.passwordAbout', { name })}</p> : <OneTime name={name} password={made} />}
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}
