// A path that two Services share: made in the wizard, measured through the gateway, edited, and deleted with its route.
import { expect, test, type Page } from '@playwright/test'
import { backend, service, type Backend } from './backend'
import { choose, confirmByName, finish, manage, next, save } from './clicks'
import { ask, everybodys, shares, untilAnswers } from './gateways'
import { apply, kubectl, project, read, type Manifest } from './kubectl'
import { enter, isAccessible, listen, says, speak, url } from './people'
import { LANGUAGES } from './words'

const KEY = 'nginx.ingress.kubernetes.io/canary'
const backends: Backend[] = []
test.afterAll(() => backends.forEach((it) => it.end()))

async function versions(namespace: string): Promise<Manifest[]> {
  const both = await Promise.all(['v1', 'v2'].map((name) => backend(name, 'name')))
  backends.push(...both)
  return both.map((it, index) => service(namespace, `v${index + 1}`, it))
}

async function split(page: Page, t: ReturnType<typeof says>, share: string) {
  await page.getByRole('button', { name: t('rules.splitPath', { n: 1 }) }).click()
  await page.getByRole('spinbutton', { name: t('rules.shareOf', { n: 1 }) }).fill(share)
}

for (const language of LANGUAGES) {
  const t = says(language)

  test(`an operator splits a path between two Services (${language})`, async ({ page }) => {
    const of = await project(`split-${language}`)
    const host = `split.${of}.example`
    const errors = listen(page)
    await apply('project-admin', await versions(of))
    const shared = await everybodys()
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/routes/new`)
    await page.fill('#name', 'web')
    await next(page, t)
    await page.getByRole('radio', { name: new RegExp(t('rules.domain')) }).check()
    await page.locator('#rule-0-host').fill(host)
    await choose(page, `${t('rules.service')} 1`, 'v1')
    await split(page, t, '30')
    await next(page, t)
    await expect(page.getByText(t('wrong.required')).first()).toBeVisible()
    await choose(page, `${t('rules.service')} ${t('rules.secondOf', { n: 1 })}`, 'v1')
    await expect(page.getByText(t('wrong.sameService'))).toBeVisible()
    await choose(page, `${t('rules.service')} ${t('rules.secondOf', { n: 1 })}`, 'v2')
    await isAccessible(page)
    await next(page, t)
    // What will be written is shown before it is.
    await expect(page.getByText(`${KEY}-weight: "30"`)).toBeVisible()
    await finish(page, t, 'web')
    const canary = await read<any>('admin', 'ingress', 'web-canary', '-n', of)
    expect(canary.metadata.annotations).toMatchObject({ [KEY]: 'true', [`${KEY}-weight`]: '30' })

    await untilAnswers(() => ask(shared, host), { status: 200 })
    await expect.poll(async () => [...(await shares(shared, host, '/', 40)).keys()].sort()).toEqual(['v1', 'v2'])
    const found = await shares(shared, host, '/', 2000)
    expect((found.get('v1') ?? 0) + (found.get('v2') ?? 0)).toBe(2000)
    expect((found.get('v2') ?? 0) / 2000).toBeGreaterThan(0.25)
    expect((found.get('v2') ?? 0) / 2000).toBeLessThan(0.35)

    // What kubectl wrote beside it survives the form.
    await kubectl('admin', ['annotate', 'ingress', 'web-canary', '-n', of, 'example.com/kept=yes', `${KEY}-by-header=x-new`])
    await page.goto(page.url().replace(/\?.*/, ''))
    await expect(page.getByText(t('flow.share', { share: 30 }))).toBeVisible()
    await manage(page, t, t('routes.editRules'))
    await page.getByRole('spinbutton', { name: t('rules.shareOf', { n: 1 }) }).fill('100')
    await isAccessible(page)
    await save(page, t)
    const edited = await read<any>('admin', 'ingress', 'web-canary', '-n', of)
    expect(edited.metadata.annotations).toMatchObject({ [KEY]: 'true', [`${KEY}-weight`]: '100', [`${KEY}-by-header`]: 'x-new', 'example.com/kept': 'yes' })
    await expect.poll(async () => Object.fromEntries(await shares(shared, host, '/', 50))).toEqual({ v2: 50 })

    await manage(page, t, t('do.delete'))
    await expect(page.getByText(t('routes.deleteCanaries', { names: 'web-canary' }))).toBeVisible()
    await confirmByName(page, 'web', t('do.delete'))
    await expect(page).toHaveURL(new RegExp(`/projects/${of}/routes$`))
    await expect.poll(() => kubectl('admin', ['get', 'ingress', '-n', of, '-o', 'name'])).toBe('')
    expect(errors).toEqual([])
  })
  test(`a generated host is not split by a route, which says why, and shared by an HTTPRoute (${language})`, async ({ page }) => {
    const of = await project(`shared-${language}`)
    const api = 'gateway.networking.k8s.io/v1'
    const edge = { apiVersion: api, kind: 'Gateway', metadata: { name: 'edge', namespace: of }, spec: { gatewayClassName: 'paifang', listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }] } }
    await apply('project-admin', [...(await versions(of)), edge])
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/routes/new`)
    await page.fill('#name', 'web')
    await next(page, t)
    await choose(page, `${t('rules.service')} 1`, 'v1')
    await expect(page.getByRole('button', { name: t('rules.splitPath', { n: 1 }) })).toHaveCount(0)
    await expect(page.getByText(t('rules.autoAlone'))).toBeVisible()
    await isAccessible(page)
    await expect(page.getByRole('link', { name: t('rules.autoAloneLink') })).toHaveAttribute('href', `/projects/${of}/others/httproutes/new`)

    // What it advises does what it says.
    const backendRefs = [{ name: 'v1', port: 80, weight: 70 }, { name: 'v2', port: 80, weight: 30 }]
    await apply('project-regular', { apiVersion: api, kind: 'HTTPRoute', metadata: { name: 'web', namespace: of, annotations: { 'paifang.dev/host': 'auto' } }, spec: { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs }] } })
    await page.goto(`${url()}/projects/${of}/others/httproutes/web?tab=access`)
    const visit = page.getByRole('link', { name: t('access.visit') })
    await expect(visit).toHaveAttribute('href', new RegExp(`^http://v1\\.${of}\\.[\\d.]+\\.nip\\.io:`))
    const { hostname, port } = new URL((await visit.getAttribute('href')) ?? '')
    const at = { addresses: [hostname.split('.').slice(2, 6).join('.')], http: Number(port), https: 0 }
    await untilAnswers(() => ask(at, hostname), { status: 200 })
    const found = await shares(at, hostname, '/', 1000)
    expect((found.get('v1') ?? 0) + (found.get('v2') ?? 0)).toBe(1000)
    expect((found.get('v2') ?? 0) / 1000).toBeGreaterThan(0.22)
    expect((found.get('v2') ?? 0) / 1000).toBeLessThan(0.38)
  })
}
