// Routes made in the wizard: with a generated host, and with a domain over HTTPS.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, type Locator, type Page } from '@playwright/test'
import { backend, gateway, service, type Backend } from './backend'
import { certificateFor } from './certificates'
import { choose, confirmByName, finish, manage, next, save } from './clicks'
import { ask, askSecurely, everybodys, reached, untilAnswers, type Reached } from './gateways'
import { apply, project, read, type Manifest } from './kubectl'
import { enter, isAccessible, listen, says, speak, url } from './people'
import { LANGUAGES, type Language } from './words'


const backends: Backend[] = []
test.afterAll(() => backends.forEach((it) => it.end()))
async function serving(namespace: string, name: string, port?: number): Promise<Manifest> {
  const it = await backend(name)
  backends.push(it)
  return service(namespace, name, it, port)
}

async function begin(page: Page, language: Language, name: string) {
  const t = says(language)
  await page.getByRole('button', { name: t('routes.create') }).first().click()
  await next(page, t)
  await expect(page.getByText(t('wrong.required'))).toBeVisible()
  await page.fill('#name', name)
  await page.fill('#alias', language === 'zh' ? '演示' : 'A demonstration')
  await isAccessible(page)
  await next(page, t)
}

/** The link leads to the gateway where it is now, and that answers there. */
async function follows(page: Page, visit: Locator, to: Reached, port: string): Promise<string> {
  const made = new RegExp(`^http://(web\\.[a-z0-9.-]*${to.addresses[0]?.replaceAll('.', '\\.')}\\.nip\\.io)${port}/$`)
  await expect(visit).toHaveAttribute('href', made)
  const host = made.exec((await visit.getAttribute('href')) ?? '')?.[1] ?? ''
  await expect(page.getByText(host, { exact: true }).first()).toBeVisible()
  await untilAnswers(() => ask(to, host), { status: 200, body: 'web /' })
  return host
}

for (const language of LANGUAGES) {
  const t = says(language)

  test(`an operator makes a route with a generated host, which follows the gateway's address (${language})`, async ({ page, browser }) => {
    const of = await project(`auto-${language}`)
    const errors = listen(page)
    await apply('project-admin', await serving(of, 'web'))
    const shared = await everybodys()
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/routes`)
    await begin(page, language, 'made')
    await choose(page, `${t('rules.service')} 1`, 'web')
    const host = `web.${of}.${shared.addresses[0]}.nip.io`
    await expect(page.getByText(host, { exact: true })).toBeVisible()
    await isAccessible(page)
    await next(page, t)
    await finish(page, t, 'made')
    const visit = page.getByRole('link', { name: t('access.visit') })
    const usual = shared.http === 80 ? '' : `:${shared.http}`
    await expect(visit).toHaveAttribute('href', `http://${host}${usual}/`)
    await isAccessible(page)
    await untilAnswers(() => ask(shared, host), { status: 200, body: 'web /' })

    // The project gets a gateway of its own, by node ports and then by an address; the page of the route follows by itself.
    const admin = await browser.newPage()
    await speak(admin, language)
    await enter(admin, 'project-admin', `/projects/${of}/gateways`)
    await admin.getByRole('button', { name: t('gateway.enable') }).click()
    await admin.getByRole('dialog').getByRole('button', { name: t('gateway.enableDo'), exact: true }).click()
    const nodes = await reached(of)
    const moved = await follows(page, visit, nodes, `:${nodes.http}`)
    expect(moved).not.toBe(host)
    await manage(admin, t, t('do.edit'))
    await admin.getByRole('radio', { name: /LoadBalancer/ }).check()
    await isAccessible(admin)
    await save(admin, t)
    await admin.close()
    await expect.poll(async () => (await reached(of)).addresses).not.toEqual(nodes.addresses)
    const own = await reached(of)
    const last = await follows(page, visit, own, usual)

    await manage(page, t, t('do.delete'))
    await confirmByName(page, 'made', t('do.delete'))
    await expect(page).toHaveURL(new RegExp(`/projects/${of}/routes$`))
    await expect(page.getByRole('link', { name: 'made', exact: true })).toHaveCount(0)
    await untilAnswers(() => ask(own, last), { status: 404 })
    expect(errors).toEqual([])
  })

  test(`an operator makes a route with a domain over HTTPS (${language})`, async ({ page }) => {
    const of = await project(`domain-${language}`)
    await apply('project-admin', [gateway(of), await serving(of, 'web'), await serving(of, 'api', 8080)])
    const at = await reached(of)
    const { folder, certificate, key } = certificateFor('demo.kubesphere.io')
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/secrets`)
    await page.getByRole('button', { name: t('secrets.add') }).first().click()
    await page.fill('#secret-name', 'demo-tls')
    await page.fill('#secret-certificate', certificate)
    await page.fill('#secret-key', key)
    await page.getByRole('dialog').getByRole('button', { name: t('do.create'), exact: true }).click()
    await expect(page.getByRole('dialog')).toHaveCount(0)
    await expect(page.getByText(t('cert.names', { names: 'demo.kubesphere.io' }))).toBeVisible()

    await page.goto(`${url()}/projects/${of}/routes`)
    await begin(page, language, 'made')
    await page.getByRole('radio', { name: new RegExp(t('rules.domain')) }).check()
    await page.locator('#rule-0-host').fill('*foo.com')
    await page.locator('#rule-0-protocol').click()
    await page.locator('.ant-select-item-option').filter({ hasText: 'HTTPS' }).click()
    await next(page, t)
    const rule = page.getByRole('region', { name: t('rules.rule', { n: 1 }) })
    const field = (id: string) => page.locator('.field').filter({ has: page.locator(`#rule-0-${id}`) }).getByRole('alert')
    await expect(field('host')).toHaveText(t('wrong.host'))
    await expect(field('secret')).toHaveText(t('wrong.secret'))
    await isAccessible(page)
    await page.locator('#rule-0-host').fill('demo.kubesphere.io')
    await choose(page, t('rules.secret'), 'demo-tls')
    await expect(page.getByText(t('cert.matches'), { exact: true })).toBeVisible()
    await choose(page, `${t('rules.service')} 1`, 'web')
    await expect(page.getByRole('combobox', { name: `${t('rules.port')} 1` })).toHaveValue('http')
    await page.getByRole('button', { name: t('rules.addPath') }).click()
    const second = page.getByRole('textbox', { name: `${t('rules.path')} 2` })
    await second.fill('/')
    await choose(page, `${t('rules.service')} 2`, 'api')
    await page.getByRole('combobox', { name: `${t('rules.port')} 2` }).fill('8080')
    await page.keyboard.press('Escape')
    await next(page, t)
    await expect(rule.locator('.path').nth(1).getByRole('alert')).toHaveText(t('wrong.pathTwice'))
    await second.fill('/api')
    await next(page, t)
    await isAccessible(page)
    await finish(page, t, 'made')
    const visits = page.getByRole('link', { name: t('access.visit') })
    await expect(visits).toHaveCount(2)
    await expect(visits.first()).toHaveAttribute('href', `https://demo.kubesphere.io:${at.https}/`)
    await isAccessible(page)

    // Its certificate and no other, and the longer of two paths.
    const trusted = ['--cacert', join(folder, 'tls.crt')]
    await untilAnswers(() => askSecurely(at, 'demo.kubesphere.io', '/apis', ...trusted), { status: 200, body: 'web /apis' })
    expect(await askSecurely(at, 'demo.kubesphere.io', '/api/v1', ...trusted)).toMatchObject({ status: 200, body: 'api /api/v1' })
    expect((await askSecurely(at, 'other.kubesphere.io', '/', ...trusted)).said).toContain('certificate')
    const { spec } = await read('project-regular', 'ingress', 'made', '-n', of)
    expect(spec.rules[0].http.paths.map((it: { backend: { service: { port: object } } }) => it.backend.service.port)).toEqual([{ name: 'http' }, { number: 8080 }])
    rmSync(folder, { recursive: true })
  })
}
