// Signing in: by password, with a new one where it must be changed, with a token where there are no passwords, or at an OpenID Connect issuer.
import { useState, type ReactNode, type SubmitEvent } from 'react'
import { Button, Input } from 'antd'
import { LockOutlined, UserOutlined } from '@ant-design/icons'
import { useNavigate } from '@tanstack/react-router'
import { ApiError } from '../api/client'
import { signIn, useWays } from '../api/session'
import { describe, Field, Loading, Note } from '../parts/basics'
import { Mark, Switches } from '../shell/language'
import { useQueryParam } from '../shell/params'
import { useWords, type Say } from '../words'
import { useTell, type Tell } from '../words/messages'
import { TokenForm } from './sign-in-token'

type Wrong = { field: 'user' | 'password' | 'new' | 'again' | 'all'; text: string }

export function SignIn() {
  const { t } = useWords()
  document.title = `${t('signIn.title')} · Paifang`
  return (
    <div className="sign-in">
      <div className="picture">
        <span className="brand">
          <Mark />
          Paifang 牌坊
        </span>
        <div>
          <h2>{t('signIn.lead')}</h2>
          <p>{t('signIn.about')}</p>
        </div>
        <Arch />
      </div>
      <main className="form">
        <span className="brand narrow-only">
          <Mark />
          Paifang
        </span>
        <div className="corner">
          <Switches />
        </div>
        <Way />
      </main>
    </div>
  )
}

function Way() {
  const { data: ways, isPending } = useWays()
  const [back, reason] = [useQueryParam('return'), useQueryParam('reason')]
  const to = isInside(back) ? back : '/'
  if (isPending) return <Loading />
  const elsewhere = ways?.enabled && <Elsewhere name={ways.name} to={to} />
  if (ways?.tokens && !ways.passwords)
    return (
      <TokenForm to={to} ended={<Ended reason={reason} />}>
        {elsewhere}
      </TokenForm>
    )
  return (
    <Form to={to} reason={reason}>
      {elsewhere}
    </Form>
  )
}

function Form({ to, reason, children }: { to: string; reason: string; children: ReactNode }) {
  const { t } = useWords()
  const tell = useTell()
  const navigate = useNavigate()
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [fresh, setFresh] = useState<{ new: string; again: string } | null>(null)
  const [wrong, setWrong] = useState<Wrong | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (user.trim() === '' || password === '') return setWrong({ field: user.trim() === '' ? 'user' : 'password', text: t('wrong.required') })
    if (fresh && fresh.new !== fresh.again) return setWrong({ field: 'again', text: t('signIn.notSame') })
    setBusy(true)
    setWrong(null)
    try {
      await signIn(user.trim(), password, fresh?.new)
      await navigate({ to })
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'PasswordChangeRequired') setFresh({ new: '', again: '' })
      else setWrong(whatIsWrong(error, t, tell))
    } finally {
      setBusy(false)
    }
  }
  const at = (field: Wrong['field']) => (wrong?.field === field ? wrong.text : undefined)
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <h1 style={{ fontSize: 24 }}>{fresh ? t('signIn.choose') : t('signIn.title')}</h1>
      {!wrong && !fresh && <Ended reason={reason} />}
      {at('all') && <Note tone="bad">{at('all')}</Note>}
      {fresh ? (
        <>
          <p className="soft">{t('signIn.chooseAbout')}</p>
          <Field id="new" label={t('signIn.new')} wrong={at('new')} help={t('signIn.newHelp')}>
            <Input.Password id="new" size="large" autoFocus autoComplete="new-password" value={fresh.new} onChange={(event) => setFresh({ ...fresh, new: event.target.value })} />
          </Field>
          <Field id="again" label={t('signIn.again')} wrong={at('again')}>
            <Input.Password id="again" size="large" autoComplete="new-password" value={fresh.again} onChange={(event) => setFresh({ ...fresh, again: event.target.value })} />
          </Field>
        </>
      ) : (
        <>
          <Field id="user" label={t('signIn.user')} wrong={at('user')}>
            <Input id="user" size="large" autoFocus autoComplete="username" autoCapitalize="none" prefix={<UserOutlined aria-hidden />} value={user} onChange={(event) => setUser(event.target.value)} />
          </Field>
          <Field id="password" label={t('signIn.password')} wrong={at('password')}>
            <Input.Password id="password" size="large" autoComplete="current-password" prefix={<LockOutlined aria-hidden />} value={password} onChange={(event) => setPassword(event.target.value)} />
          </Field>
        </>
      )}
      <Button type="primary" size="large" htmlType="submit" block loading={busy}>
        {fresh ? t('signIn.save') : t('signIn.do')}
      </Button>
      {!fresh && children}
    </form>
  )
}

/** Only a path of this origin. */
const isInside = (path: string) => /^\/(?![/\\])/.test(path) && !path.startsWith('/sign-in')

function whatIsWrong(error: unknown, t: Say, tell: Tell): Wrong {
  if (!(error instanceof ApiError)) return { field: 'all', text: String(error) }
  switch (error.reason) {
    case 'WrongCredentials':
      return { field: 'password', text: t('signIn.wrong') }
    case 'WeakPassword':
      return { field: 'new', text: `${t('signIn.weak')} ${tell(error.message)}` }
    case 'TooManyAttempts':
      return { field: 'all', text: t('signIn.tooMany', { seconds: error.retryAfter ?? 30 }) }
    default:
      return { field: 'all', text: describe(error, t) }
  }
}

/** Why one is here. */
function Ended({ reason }: { reason: string }) {
  const { t } = useWords()
  if (!reason) return null
  return <Note tone={reason === 'ended' ? 'info' : 'bad'}>{reason === 'ended' ? t('signIn.ended') : t('signIn.oidcFailed')}</Note>
}

/** At the issuer. */
function Elsewhere({ name, to }: { name: string; to: string }) {
  const { t } = useWords()
  return (
    <Button size="large" block href={`/console/oidc/start?return=${encodeURIComponent(to)}`}>
      {t('signIn.oidc', { name: name || 'OpenID Connect' })}
    </Button>
  )
}

const Arch = () => (
  <svg className="arch" viewBox="0 0 520 300" fill="none" stroke="#fff" strokeLinecap="round" aria-hidden>
    <g strokeOpacity=".22" strokeWidth="8">
      <path d="M130 44c44 14 86 20 130 20s86-6 130-20M96 92c54 15 109 22 164 22s110-7 164-22M116 138h288M116 166h288M172 118v166M348 118v166" />
      <path d="M26 150c28 10 58 14 92 14M494 150c-28 10-58 14-92 14M44 190h72M404 190h72M66 168v116M454 168v116" />
      <path d="M10 288h500" strokeOpacity=".35" />
    </g>
    <path d="M228 66v48M292 66v48" strokeOpacity=".22" strokeWidth="6" />
    <circle cx="260" cy="238" r="24" fill="#fff" fillOpacity=".1" stroke="none" />
    <path d="M232 288c6-34 50-34 56 0" strokeOpacity=".35" strokeWidth="5" />
  </svg>
)
