// `paifang console` alone, in front of an API that is somebody else's: here that of the `paifang up` of these tests.
import { spawn, type ChildProcess } from 'node:child_process'
import { expect, test, type Page } from '@playwright/test'
import { apply, kubectl } from './kubectl'
import { isAccessible, listen, says, speak } from './people'
import { freePorts } from './serve'
import { LANGUAGES } from './words'

const asAdmin = (...words: string[]) => kubectl('admin', words)
const PROJECT = 'demo-project'
const ACCOUNT = 'alone'
let alone: ChildProcess
let at = ''
let token = ''

test.describe.configure({ mode: 'serial' })

test.beforeAll(async () => {
  const kubeconfig = process.env.PAIFANG_KUBECONFIG ?? ''
  const metadata = { name: ACCOUNT, namespace: PROJECT }
  const [roleRef, subjects] = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'admin' }, [{ kind: 'ServiceAccount', ...metadata }]]
  await apply('admin', [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef, subjects },
  ])
  token = await asAdmin('create', 'token', ACCOUNT, '-n', PROJECT)
  const [port] = await freePorts(1)
  at = `https://127.0.0.1:${port}`
  const folder = process.env.PAIFANG_CONSOLE_DIR ? ['--console-dir', process.env.PAIFANG_CONSOLE_DIR] : []
  alone = spawn(process.env.PAIFANG_BIN ?? '', ['console', '--kubeconfig', kubeconfig, '--console-address', `127.0.0.1:${port}`, ...folder], { stdio: 'ignore' })
})

test.afterAll(async () => {
  alone?.kill('SIGKILL')
  await asAdmin('delete', 'rolebinding', ACCOUNT, '-n', PROJECT, '--ignore-not-found')
  await asAdmin('delete', 'serviceaccount', ACCOUNT, '-n', PROJECT, '--ignore-not-found')
})

async function signIn(page: Page, language: (typeof LANGUAGES)[number], shown: string) {
  const t = says(language)
  await speak(page, language)
  await expect(async () => expect((await page.goto(`${at}/sign-in`))?.ok()).toBe(true)).toPass({ timeout: 60_000 })
  await page.getByLabel(t('signIn.token'), { exact: true }).fill(shown)
  await page.getByRole('button', { name: t('signIn.do'), exact: true }).click()
}

for (const language of LANGUAGES) {
  const t = says(language)

  test(`whoever has a token of the cluster signs in with it, and does what it may (${language})`, async ({ page }) => {
    const errors = listen(page)
    await signIn(page, language, `${token}\n`)
    await page.getByRole('link', { name: t('routes.title'), exact: true }).first().click()
    await expect(page.getByRole('link', { name: 'demo', exact: true })).toBeVisible()
    // It is live as ever.
    const name = `alone-${language}`
    await asAdmin('create', 'ingress', name, '-n', PROJECT, `--rule=${name}.example/*=httpbin:8000`)
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible()
    await asAdmin('delete', 'ingress', name, '-n', PROJECT)
    await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0)
    // There are no passwords here.
    await page.goto(`${at}/account`)
    await expect(page.getByText(`system:serviceaccount:${PROJECT}:${ACCOUNT}`).first()).toBeVisible()
    await expect(page.getByText('kubectl --token "$TOKEN" auth whoami')).toBeVisible()
    await expect(page.getByText(t('account.password'), { exact: true })).toHaveCount(0)
    await isAccessible(page)
    expect(errors).toEqual([])
  })

  test(`a token that the cluster does not take is told at its field (${language})`, async ({ page }) => {
    await signIn(page, language, 'nothing')
    await expect(page.getByText(t('signIn.wrongToken'))).toBeVisible()
    await expect(page).toHaveURL(/sign-in/)
    await isAccessible(page)
    await page.getByLabel(t('signIn.token'), { exact: true }).fill('')
    await page.getByRole('button', { name: t('signIn.do'), exact: true }).click()
    await expect(page.getByText(t('wrong.required'))).toBeVisible()
  })

  test(`where a gateway's numbers would be stands the command that has them (${language})`, async ({ page }) => {
    const gateway = { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', namespace: PROJECT }, spec: { access: { type: 'NodePort' } } }
    await apply('admin', gateway)
    try {
      await signIn(page, language, token)
      await expect(page).not.toHaveURL(/sign-in/)
      await page.goto(`${at}/projects/${PROJECT}/gateways/${PROJECT}/gateway`)
      await expect(page.getByText(/kubectl get --raw \/api\/v1\/namespaces\//)).toBeVisible()
      await page.getByRole('tab', { name: t('gateway.logs') }).click()
      await expect(page.getByText(/kubectl logs -n /)).toBeVisible()
      await expect(page.getByText(t('elsewhere.about')).last()).toBeVisible()
      await isAccessible(page)
    } finally {
      await asAdmin('delete', 'igw', 'gateway', '-n', PROJECT)
    }
  })
  test(`where the kinds of people are not installed, the pages about them say so, and what that means (${language})`, async ({ page }) => {
    // As an API server answers that has never heard of them.
    await page.route('**/apis/paifang.dev/**', (route) => route.fulfill({ status: 404, contentType: 'text/plain', body: '404 page not found' }))
    await signIn(page, language, token)
    await expect(page).not.toHaveURL(/sign-in/)
    for (const path of ['/workspaces', '/users', '/workspaces/any']) {
      await page.goto(at + path)
      await expect(page.getByText(t('people.noKinds'))).toBeVisible()
      await expect(page.getByText('paifang crds | kubectl apply --server-side -f -')).toBeVisible()
      for (const make of ['workspaces.create', 'users.create'] as const) await expect(page.getByRole('button', { name: t(make) })).toHaveCount(0)
      await isAccessible(page)
    }
  })
}
