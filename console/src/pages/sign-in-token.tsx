// Signing in with a token that the cluster takes: the way where the console stands alone in front of one.
import { useState, type ReactNode, type SubmitEvent } from 'react'
import { Button, Input } from 'antd'
import { KeyOutlined } from '@ant-design/icons'
import { useNavigate } from '@tanstack/react-router'
import { ApiError } from '../api/client'
import { signInWithToken } from '../api/session'
import { Code, describe, Field, Note } from '../parts/basics'
import { useWords } from '../words'

export function TokenForm({ to, ended, children }: { to: string; ended: ReactNode; children: ReactNode }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const [token, setToken] = useState('')
  const [wrong, setWrong] = useState<{ field: boolean; text: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (token.trim() === '') return setWrong({ field: true, text: t('wrong.required') })
    setBusy(true)
    setWrong(null)
    try {
      await signInWithToken(token.trim())
      await navigate({ to })
    } catch (error) {
      const refused = error instanceof ApiError && error.reason === 'WrongCredentials'
      const tooMany = error instanceof ApiError && error.reason === 'TooManyAttempts'
      setWrong({ field: refused, text: refused ? t('signIn.wrongToken') : tooMany ? t('signIn.tooMany', { seconds: error.retryAfter ?? 30 }) : describe(error, t) })
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <h1 style={{ fontSize: 24 }}>{t('signIn.title')}</h1>
      {!wrong && ended}
      {wrong && !wrong.field && <Note tone="bad">{wrong.text}</Note>}
      <p className="soft">{t('signIn.tokenAbout')}</p>
      <Field id="token" label={t('signIn.token')} wrong={wrong?.field ? wrong.text : undefined}>
        <Input.Password id="token" size="large" autoFocus autoComplete="off" spellCheck={false} prefix={<KeyOutlined aria-hidden />} value={token} onChange={(event) => setToken(event.target.value)} />
      </Field>
      <Button type="primary" size="large" htmlType="submit" block loading={busy}>
        {t('signIn.do')}
      </Button>
      {children}
      <div className="field">
        <span className="label">{t('signIn.tokenHow')}</span>
        <Code>kubectl create token NAME -n NAMESPACE</Code>
      </div>
    </form>
  )
}
