// The life of a route: edited in every way under a stream of requests of which none fails, released in part, deleted.
import { expect, test } from '@playwright/test'
import { backend, gateway, service } from './backend'
import { addRow, confirmByName, finish, manage, next, save, choose } from './clicks'
import { ask, reached, shares, stream, untilAnswers } from './gateways'
import { apply, kubectl, project, read } from './kubectl'
import { enter, isAccessible, says, speak, url } from './people'
import { LANGUAGES } from './words'
import { rewrite } from './yaml'

const HOST = 'life.example'
const REGEX = '/aaa(/|$)(.*)'
const NGINX = 'nginx.ingress.kubernetes.io'
const MANY = 10_000

const route = (namespace: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'life', namespace, labels: { team: 'blue' } },
  spec: { rules: [{ host: HOST, http: { paths: [{ path: '/', pathType: 'ImplementationSpecific', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
})

for (const language of LANGUAGES) {
  const t = says(language)

  test(`a route is edited while it is used, and no request fails (${language})`, async ({ page }) => {
    const of = await project(`life-${language}`)
    const [web, other] = [await backend('web'), await backend('other')]
    await apply('project-admin', [gateway(of), service(of, 'web', web), service(of, 'other', other), route(of)])
    const at = await reached(of)
    const answers = (body: string) => untilAnswers(() => ask(at, HOST, '/aaa/x'), { status: 200, body })
    await answers('web /aaa/x')
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/routes/life`)
    await page.getByRole('tab', { name: t('events.title'), exact: true }).click()
    await expect(page.getByRole('row').filter({ hasText: `IngressGateway ${of}/gateway` }).filter({ hasText: 'Accepted' })).toBeVisible()
    await page.getByRole('tab', { name: t('meta.title'), exact: true }).click()
    await expect(page.getByText('team', { exact: true }).first()).toBeVisible()
    const load = stream(at, HOST, '/aaa/load')

    await manage(page, t, t('routes.editInformation'))
    await expect(page.locator('#name')).toBeDisabled()
    await expect(page.getByText(t('form.nameFixed'))).toBeVisible()
    await page.fill('#alias', 'Life 生活')
    await page.fill('#description', 'How it goes')
    await isAccessible(page)
    await save(page, t)
    await expect(page.getByRole('heading', { name: 'Life 生活', level: 1 })).toBeVisible()

    await manage(page, t, t('routes.editYaml'))
    await expect(page.locator('.cm-content')).toContainText(HOST)
    await rewrite(page, 'name: web', 'name: other')
    await page.getByRole('button', { name: t('yaml.review') }).click()
    await expect(page.getByText(t('yaml.difference'))).toBeVisible()
    await page.getByRole('button', { name: t('do.save') }).click()
    await expect(page).toHaveURL(/routes\/life$/)
    await answers('other /aaa/x')

    await manage(page, t, t('routes.editAnnotations'))
    await addRow(t, page.getByRole('dialog').getByRole('group', { name: t('meta.annotations') }), t('do.addAnnotation'), `${NGINX}/rewrite-target`, '/$2')
    await isAccessible(page)
    await save(page, t)
    await answers('other /')

    await manage(page, t, t('routes.editRules'))
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: `${t('rules.path')} 1` }).fill(REGEX)
    await choose(page, `${t('rules.service')} 1`, 'web', dialog)
    await isAccessible(page)
    await save(page, t)
    await answers('web /x')
    expect(await ask(at, HOST, '/bbb')).toMatchObject({ status: 404 })

    const { asked, failed } = await load.end()
    expect(failed).toEqual([])
    expect(asked).toBeGreaterThan(200)
    await page.getByRole('tab', { name: t('meta.title') }).click()
    for (const text of ['team', 'blue', `${NGINX}/rewrite-target`, '/$2']) await expect(page.getByText(text, { exact: true })).toBeVisible()
    const { metadata } = await read('project-regular', 'ingress', 'life', '-n', of)
    expect([metadata.labels, metadata.annotations]).toMatchObject([{ team: 'blue' }, { 'kubesphere.io/alias-name': 'Life 生活', 'kubesphere.io/description': 'How it goes', [`${NGINX}/rewrite-target`]: '/$2' }])

    await manage(page, t, t('do.delete'))
    await confirmByName(page, 'life', t('do.delete'))
    await expect(page).toHaveURL(/\/routes$/)
    await expect(page.getByRole('link', { name: 'life', exact: true })).toHaveCount(0)
    await untilAnswers(() => ask(at, HOST, '/aaa/x'), { status: 404 })
    for (const it of [web, other]) it.end()
  })

  test(`a second route takes its share of the requests, and those that ask for it (${language})`, async ({ page }) => {
    const of = await project(`gray-${language}`)
    const [one, two] = [await backend('one', 'name'), await backend('two', 'name')]
    const main = { ...route(of), spec: { rules: [{ host: HOST, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'one', port: { number: 80 } } } }] } }] } }
    await apply('project-admin', [gateway(of), service(of, 'one', one), service(of, 'two', two), main])
    const at = await reached(of)
    await untilAnswers(() => ask(at, HOST), { status: 200, body: 'one' })
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/routes/new`)
    await page.fill('#name', 'second')
    await next(page, t)
    await page.getByRole('radio', { name: new RegExp(t('rules.domain')) }).check()
    await page.locator('#rule-0-host').fill(HOST)
    await page.getByRole('combobox', { name: `${t('rules.pathType')} 1` }).click()
    await page.locator('.ant-select-item-option').filter({ hasText: t('pathType.Prefix') }).click()
    await choose(page, `${t('rules.service')} 1`, 'two')
    await next(page, t)
    const annotations = page.getByRole('group', { name: t('meta.annotations') })
    const canary = { canary: 'true', 'canary-weight': '30', 'canary-by-header': 'x-try', 'canary-by-cookie': 'try' }
    for (const [key, value] of Object.entries(canary)) await addRow(t, annotations, t('do.addAnnotation'), `${NGINX}/${key}`, value)
    await isAccessible(page)
    await finish(page, t, 'second')
    const always = { 'x-try': 'always' }
    await untilAnswers(() => ask(at, HOST, '/', '--header', 'x-try: always'), { status: 200, body: 'two' })

    const found = await shares(at, HOST, '/', MANY)
    expect([...found.keys()].sort()).toEqual(['one', 'two'])
    expect(Math.abs((found.get('two') ?? 0) / MANY - 0.3), `${found.get('two')} of ${MANY}`).toBeLessThanOrEqual(0.03)
    const cookie = (value: string) => ({ cookie: `try=${value}` })
    for (const [headers, body] of [[always, 'two'], [{ ...always, ...cookie('never') }, 'two'], [{ 'x-try': 'never', ...cookie('always') }, 'one'], [cookie('always'), 'two'], [cookie('never'), 'one']] as const) expect([headers, [...(await shares(at, HOST, '/', 60, headers)).keys()]]).toEqual([headers, [body]])
    await page.goto(`${url()}/projects/${of}/routes`)
    await expect(page.getByRole('row').filter({ has: page.getByRole('link', { name: 'second', exact: true }) }).getByText(t('routes.canary', { share: 30 }))).toBeVisible()
    await kubectl('project-regular', ['delete', 'ingress', 'second', '-n', of])
    await expect.poll(async () => [...(await shares(at, HOST, '/', 60)).keys()]).toEqual(['one'])
    for (const it of [one, two]) it.end()
  })
}
