import { expect, test, type Page } from '@playwright/test'
import { says, signIn, speak, url } from './people'

const AT = '/projects/demo-project'
const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/demo-project/ingresses'

/** Asks the API as who is signed in, beside the pages: as kubectl would. */
async function ask(page: Page, method: string, path: string, body?: object, contentType = 'application/json') {
  return page.evaluate(
    async ([way, where, what, type]) => {
      const { csrf } = (await (await fetch('/console/session')).json()) as { csrf: string }
      const answer = await fetch(where as string, { method: way as string, headers: { 'X-CSRF-Token': csrf, 'Content-Type': type as string }, ...(what !== '' && { body: what as string }) })
      return (await answer.json()) as Record<string, unknown>
    },
    [method, path, body ? JSON.stringify(body) : '', contentType],
  )
}

const route = (name: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace: 'demo-project', annotations: { 'example.com/kept': 'yes' }, labels: { app: 'kept' } },
  spec: {
    defaultBackend: { service: { name: 'echo', port: { number: 80 } } },
    rules: [{ host: `${name}.kubesphere.io`, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'httpbin', port: { name: 'http' } } } }] } }],
  },
})

test.beforeEach(async ({ page }) => {
  await speak(page, 'en')
  await signIn(page, 'project-regular', `${AT}/routes`)
  for (const name of ['live', 'formed']) await ask(page, 'DELETE', `${INGRESSES}/${name}`)
})

test('what others do shows by itself, and no list is read again', async ({ page }) => {
  await expect(page.getByRole('link', { name: 'demo', exact: true })).toBeVisible()
  const lists: string[] = []
  page.on('request', (request) => request.url().includes(INGRESSES) && request.method() === 'GET' && !request.url().includes('watch=1') && lists.push(request.url()))
  await ask(page, 'POST', INGRESSES, route('live'))
  await expect(page.getByRole('link', { name: 'live', exact: true })).toBeVisible()
  await ask(page, 'PATCH', `${INGRESSES}/live`, { metadata: { annotations: { 'kubesphere.io/alias-name': 'Seen at once' } } }, 'application/merge-patch+json')
  await expect(page.getByText('Seen at once')).toBeVisible()
  await ask(page, 'DELETE', `${INGRESSES}/live`)
  await expect(page.getByRole('link', { name: 'live', exact: true })).toHaveCount(0)
  expect(lists).toEqual([])
})

test('an edit by form keeps what the form does not know', async ({ page }) => {
  const t = says('en')
  await ask(page, 'POST', INGRESSES, route('formed'))
  await page.goto(`${url()}${AT}/routes/formed`)
  await page.getByRole('button', { name: t('do.manage') }).click()
  await page.getByRole('menuitem', { name: t('routes.editRules') }).click()
  await page.locator('#rule-0-host').fill('other.kubesphere.io')
  await page.getByRole('dialog').getByRole('button', { name: t('do.save') }).click()
  await expect(page.getByRole('heading', { name: 'other.kubesphere.io' })).toBeVisible()
  const { spec, metadata } = (await ask(page, 'GET', `${INGRESSES}/formed`)) as unknown as ReturnType<typeof route>
  expect(spec).toEqual({ ...route('formed').spec, rules: [{ ...route('formed').spec.rules[0], host: 'other.kubesphere.io' }] })
  expect(metadata.annotations['example.com/kept']).toBe('yes')
  await ask(page, 'DELETE', `${INGRESSES}/formed`)
})

test('YAML is tried, shown as a difference, and saved', async ({ page }) => {
  const t = says('en')
  await ask(page, 'POST', INGRESSES, route('formed'))
  await page.goto(`${url()}${AT}/routes/formed/yaml`)
  const editor = page.locator('.cm-content')
  await expect(editor).toContainText('formed.kubesphere.io')
  await page.getByText('formed.kubesphere.io').dblclick()
  // To where the text of the line begins.
  await page.keyboard.press('Home')
  await page.keyboard.press('Shift+End')
  await page.keyboard.insertText('- host: written.kubesphere.io')
  await page.getByRole('button', { name: t('yaml.review') }).click()
  await expect(page.getByText(t('yaml.difference'))).toBeVisible()
  await expect(page.locator('.cm-deletedChunk').filter({ hasText: 'formed.kubesphere.io' })).toHaveCount(1)
  await page.getByRole('button', { name: t('do.save') }).click()
  await expect(page.getByRole('heading', { name: 'written.kubesphere.io' })).toBeVisible()
  await ask(page, 'DELETE', `${INGRESSES}/formed`)
})
