// One's own account: who one is, one's password.
import { useState, type SubmitEvent } from 'react'
import { Button, Input } from 'antd'
import { useNavigate } from '@tanstack/react-router'
import { ApiError, ask } from '../../api/client'
import { KINDS, objectPath } from '../../api/kinds'
import { useMine } from '../../api/mine'
import { signOut, useSession } from '../../api/session'
import { Card, Code, Facts, Field, Page, Trouble } from '../../parts/basics'
import { useDoing } from '../../parts/dialogs'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'

export function Account() {
  const { t } = useWords()
  const { user, displayName, mode } = useSession()
  const { projects, workspaces } = useMine()
  const named = (all: typeof projects) => all.map((it) => `${it.alias || it.name}${it.roles?.length ? ` (${it.roles.join(', ')})` : ''}`).join(', ')
  return (
    <Page title={t('account.title')} about={t('account.about')}>
      <div className="stack">
        <Card>
          <Facts of={[[t('users.login'), <code>{user}</code>], [t('users.display'), displayName], [t('workspaces.title'), named(workspaces)], [t('projects.title'), named(projects)]]} />
        </Card>
        <div className="palette">
          {mode === 'up' && <Password user={user} />}
          <Card title={t('account.kubectl')}>
            <div className="stack">
              <p className="soft">{t(mode === 'up' ? 'account.kubectlAbout' : 'account.tokenAbout')}</p>
              {(mode === 'up' ? [`paifang login ${user}`, `paifang user kubeconfig ${user} --file ${user}.kubeconfig`] : ['kubectl --token "$TOKEN" auth whoami']).map((it) => (
                <Code key={it}>{it}</Code>
              ))}
            </div>
          </Card>
        </div>
      </div>
    </Page>
  )
}

function Password({ user }: { user: string }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const [form, setForm] = useState({ current: '', next: '', again: '' })
  const { busy, error, run } = useDoing()
  const same = form.again === '' || form.next === form.again
  const save = async (event: SubmitEvent) => {
    event.preventDefault()
    if (!(await run(() => ask(`${objectPath(KINDS.user, user)}/password`, { method: 'POST', body: { currentPassword: form.current, newPassword: form.next } })))) return
    say(t('said.password'))
    await signOut()
    await navigate({ to: '/sign-in' })
  }
  const fields = [
    ['current', 'account.current', 'current-password'],
    ['next', 'signIn.new', 'new-password'],
    ['again', 'signIn.again', 'new-password'],
  ] as const
  return (
    <Card title={t('account.password')}>
      <form className="stack" onSubmit={(event) => void save(event)}>
        {fields.map(([field, label, complete]) => (
          <Field key={field} id={`password-${field}`} label={t(label)} wrong={field === 'again' && !same ? t('signIn.notSame') : undefined} help={field === 'next' ? t('signIn.newHelp') : undefined}>
            <Input.Password id={`password-${field}`} autoComplete={complete} value={form[field]} onChange={(event) => setForm({ ...form, [field]: event.target.value })} />
          </Field>
        ))}
        {error instanceof ApiError && error.status === 404 ? <Trouble error={new Error(t('account.noPasswords'))} /> : Boolean(error) && <Trouble error={error} />}
        <div>
          <Button type="primary" htmlType="submit" loading={busy} disabled={!form.current || !form.next || form.next !== form.again}>
            {t('account.change')}
          </Button>
        </div>
      </form>
    </Card>
  )
}
