// A one-time password for somebody: made, shown once, and to be changed at the first sign-in.
import { useState } from 'react'
import { ApiError, ask } from '../../api/client'
import { KINDS, objectPath } from '../../api/kinds'
import { Code, Note } from '../../parts/basics'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
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
    <FormDialog title={t('users.setPassword')} command={`paifang user password ${name}`} does={t(made === null ? 'users.makePassword' : 'do.close')} busy={busy} error={error} done={made !== null} onDo={finish} onClose={onClose}>
      {made === null ? <p>{t('users.passwordAbout', { name })}</p> : <OneTime name={name} password={made} />}
    </FormDialog>
  )
}
