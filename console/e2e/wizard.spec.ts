// What the wizard leaves behind, before a manifest written by hand, and where the platform says what hosts end in.
import { expect, test } from '@playwright/test'
import { backend, service } from './backend'
import { secretFor } from './certificates'
import { addRow, choose, finish, next } from './clicks'
import { curl, untilAnswers } from './gateways'
import { apply, attempt, project } from './kubectl'
import { says, signIn, speak } from './people'
import { up } from './serve'

test('generated hosts end in the suffix that the platform has', async ({ page }) => {
  const other = await up(['--dns-suffix', 'apps.example'])
  try {
    const t = says('en')
    await speak(page, 'en')
    await signIn(page, 'project-regular', '/projects/demo-project/routes/new', other.url)
    await page.fill('#name', 'suffixed')
    await next(page, t)
    await choose(page, `${t('rules.service')} 1`, 'echo')
    await expect(page.getByText(/^echo\.demo-project\.[\d.]+\.apps\.example$/)).toBeVisible()
    await next(page, t)
    await finish(page, t, 'suffixed')
    const href = await page.getByRole('link', { name: t('access.visit') }).getAttribute('href')
    const { hostname, port } = new URL(href ?? '')
    expect(hostname).toMatch(/^echo\.demo-project\.[\d.]+\.apps\.example$/)
    const address = hostname.split('.').slice(2, 6).join('.')
    await untilAnswers(() => curl('--resolve', `${hostname}:${port || 80}:${address}`, href ?? ''), { status: 200 })
  } finally {
    other.stop()
  }
})

test('what the wizard makes is what a hand has written: kubectl diff finds nothing', async ({ page }) => {
  const of = await project('diffed')
  const [web, api] = [await backend('web'), await backend('api')]
  await apply('project-admin', [service(of, 'web', web), service(of, 'api', api, 8080), secretFor(of, 'demo-tls', 'diff.kubesphere.io')])
  const t = says('en')
  await speak(page, 'en')
  await signIn(page, 'project-regular', `/projects/${of}/routes/new`)
  await page.fill('#name', 'diffed')
  await page.fill('#alias', 'A shop')
  await page.fill('#description', 'Where things are sold')
  await next(page, t)
  await page.getByRole('radio', { name: new RegExp(t('rules.domain')) }).check()
  await page.locator('#rule-0-host').fill('diff.kubesphere.io')
  await page.locator('#rule-0-protocol').click()
  await page.locator('.ant-select-item-option').filter({ hasText: 'HTTPS' }).click()
  await choose(page, t('rules.secret'), 'demo-tls')
  await choose(page, `${t('rules.service')} 1`, 'web')
  await page.getByRole('button', { name: t('rules.addPath') }).click()
  await page.getByRole('textbox', { name: `${t('rules.path')} 2` }).fill('/api')
  await choose(page, `${t('rules.service')} 2`, 'api')
  await page.getByRole('combobox', { name: `${t('rules.port')} 2` }).fill('8080')
  await page.keyboard.press('Escape')
  await next(page, t)
  await addRow(t, page.getByRole('group', { name: t('meta.annotations') }), t('do.addAnnotation'), 'nginx.ingress.kubernetes.io/enable-cors', 'true')
  await addRow(t, page.getByRole('group', { name: t('meta.labels') }), t('do.addLabel'), 'app', 'shop')
  await finish(page, t, 'diffed')
  const written = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: diffed
  namespace: ${of}
  labels:
    app: shop
  annotations:
    kubesphere.io/alias-name: A shop
    kubesphere.io/description: Where things are sold
    kubesphere.io/creator: project-regular
    nginx.ingress.kubernetes.io/enable-cors: "true"
spec:
  tls:
    - hosts: [diff.kubesphere.io]
      secretName: demo-tls
  rules:
    - host: diff.kubesphere.io
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }
          - { path: /api, pathType: Prefix, backend: { service: { name: api, port: { number: 8080 } } } }
`
  expect(await attempt('project-regular', ['diff', '-f', '-'], written)).toMatchObject({ code: 0, out: '' })
  // One that differs is told, so that the silence above says something.
  expect((await attempt('project-regular', ['diff', '-f', '-'], written.replace('/api', '/app'))).code).toBe(1)
  for (const it of [web, api]) it.end()
})
