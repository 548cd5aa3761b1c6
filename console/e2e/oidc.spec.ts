// Signing in at an issuer of OpenID Connect, by the button.
import { execFileSync } from 'node:child_process'
import { expect, test, type Page } from '@playwright/test'
import { Issuer } from './issuer'
import { isAccessible, listen, says, speak } from './people'
import { up, type Up } from './serve'
import { LANGUAGES, type Language } from './words'

let issuer: Issuer
let it: Up

test.describe.configure({ mode: 'serial' })

test.beforeAll(async () => {
  test.setTimeout(180_000)
  issuer = await new Issuer().start()
  it = await up(['--oidc-issuer', issuer.url, '--oidc-client-id', issuer.client])
  const paifang = (...words: string[]) => execFileSync(process.env.PAIFANG_BIN ?? '', words, { env: { ...process.env, HOME: it.home, KUBECONFIG: it.kubeconfig }, stdio: 'pipe' })
  paifang('user', 'create', 'anna', '--display-name', 'Anna Berg', '--identity', 'oidc:anna-at-issuer', '--no-password')
  paifang('invite', 'anna', '--project', 'demo-project', '--role', 'operator')
})

test.afterAll(() => {
  it?.stop()
  issuer?.stop()
})

test.beforeEach(() => {
  issuer.manner = 'agrees'
  issuer.person = { sub: 'anna-at-issuer', name: 'Anna Berg', email: 'anna@example.com' }
})

async function press(page: Page, language: Language, path = '/') {
  await speak(page, language)
  await page.goto(`${it.url}/sign-in?return=${encodeURIComponent(path)}`)
  await page.getByRole('link', { name: new RegExp(`^${language === 'zh' ? '使用 localhost' : 'Sign in with localhost'}`) }).click()
}

const session = (page: Page) => page.evaluate(async () => (await fetch('/console/session')).status)

for (const language of LANGUAGES) {
  test(`whom the issuer knows is signed in, and goes where they wanted (${language})`, async ({ page }) => {
    const t = says(language)
    const errors = listen(page)
    const before = issuer.exchanged
    await press(page, language, '/projects/demo-project/routes')
    await expect(page).toHaveURL(`${it.url}/projects/demo-project/routes`)
    await expect(page.getByRole('heading', { name: t('routes.title') })).toBeVisible()
    await expect(page.getByRole('button', { name: `${t('shell.you')}: Anna Berg` })).toBeVisible()
    await expect(page.getByRole('link', { name: 'demo', exact: true })).toBeVisible()
    expect(issuer.exchanged).toBe(before + 1)
    expect(errors).toEqual([])
    // A session like any other: it ends by signing out.
    await page.getByRole('button', { name: new RegExp(`^${t('shell.you')}: `) }).click()
    await page.getByRole('menuitem', { name: t('shell.signOut') }).click()
    await expect(page).toHaveURL(/sign-in/)
    expect(await session(page)).toBe(401)
  })

  for (const manner of ['denies', 'forgets the nonce', 'signs with another key'] as const) {
    test(`an issuer that ${manner} lets nobody in, and that is said (${language})`, async ({ page }) => {
      issuer.manner = manner
      await press(page, language)
      await expect(page).toHaveURL(/\/sign-in\?reason=OidcFailed/)
      await expect(page.getByRole('alert').filter({ hasText: says(language)('signIn.oidcFailed') })).toBeVisible()
      await isAccessible(page)
      expect(await session(page)).toBe(401)
    })
  }
}

test('who comes back to what another browser began is not signed in', async ({ browser }) => {
  issuer.manner = 'asks first'
  const [theirs, mine] = await Promise.all([browser.newPage(), browser.newPage()])
  await press(theirs, 'en')
  const agree = theirs.getByRole('link', { name: 'agree' })
  await mine.goto((await agree.getAttribute('href')) ?? '')
  await expect(mine).toHaveURL(/\/sign-in\?reason=OidcFailed/)
  expect(await session(mine)).toBe(401)
  await agree.click()
  await expect(theirs.getByRole('button', { name: /Anna Berg/ })).toBeVisible()
  await Promise.all([theirs.close(), mine.close()])
})

test('who is no user here is somebody who is in no project', async ({ page }) => {
  issuer.person = { sub: 'stranger', name: 'Stranger', email: 'stranger@example.com' }
  await press(page, 'en')
  await expect(page.getByText(says('en')('overview.noProject'))).toBeVisible()
  await page.goto(`${it.url}/projects/demo-project/routes`)
  await expect(page.getByText(says('en')('error.forbidden'))).toBeVisible()
})

test('an issuer that is gone when it is asked lets nobody in, and that is said', async ({ page }) => {
  issuer.manner = 'asks first'
  await press(page, 'en')
  const agree = page.getByRole('link', { name: 'agree' })
  await expect(agree).toBeVisible()
  issuer.stop()
  await agree.click()
  await expect(page).toHaveURL(/\/sign-in\?reason=OidcFailed/)
  await expect(page.getByText(says('en')('signIn.oidcFailed'))).toBeVisible()
  expect(await session(page)).toBe(401)
})
