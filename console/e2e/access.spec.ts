// Access of routes of Gateway API and Istio: the page has the rows of `paifang get access`, its commands work, and the check marks what breaks.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test, type Page } from '@playwright/test'
import { backend, service, type Backend } from './backend'
import { apply, paifang, project, type Manifest } from './kubectl'
import { enter, isAccessible, listen, says, speak } from './people'
import { LANGUAGES } from './words'

const backends: Backend[] = []
test.afterAll(() => backends.forEach((it) => it.end()))

interface Row {
  domain: string
  link: string | null
  hosts: string | null
  curl: string | null
  object: { kind: string; namespace: string; name: string }
}

// Of all namespaces: everybody's gateway is in another.
const rowsOf = async (namespace: string) => (JSON.parse(await paifang('get', 'access', '-A', '-o', 'json')) as { items: Row[] }).items.filter((it) => it.object.namespace === namespace)

async function stock(namespace: string): Promise<Manifest[]> {
  const it = await backend('web')
  backends.push(it)
  const metadata = (name: string) => ({ name, namespace })
  const api = 'gateway.networking.k8s.io/v1'
  const rules = [{ matches: [{ path: { type: 'PathPrefix', value: '/a' } }, { path: { type: 'Exact', value: '/b' } }], backendRefs: [{ name: 'web', port: 80 }] }]
  const listeners = [{ name: 'http', port: 8080, protocol: 'HTTP', hostname: `*.${namespace}.example` }]
  const [host, destination] = [`vs.${namespace}.example`, { host: 'web', port: { number: 80 } }]
  return [
    service(namespace, 'web', it),
    { apiVersion: api, kind: 'Gateway', metadata: metadata('edge'), spec: { gatewayClassName: 'paifang', listeners } },
    { apiVersion: api, kind: 'HTTPRoute', metadata: metadata('web'), spec: { parentRefs: [{ name: 'edge' }], hostnames: [`web.${namespace}.example`], rules } },
    { apiVersion: api, kind: 'HTTPRoute', metadata: metadata('lost'), spec: { parentRefs: [{ name: 'nowhere' }], hostnames: [`lost.${namespace}.example`], rules } },
    { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: metadata('front'), spec: { selector: { istio: 'ingressgateway' }, servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [host] }] } },
    { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: metadata('web'), spec: { hosts: [host], gateways: ['front'], http: [{ route: [{ destination }] }] } },
  ]
}

/** The page shows these rows, and no others. */
async function shows(page: Page, t: ReturnType<typeof says>, rows: Row[]) {
  await expect(page.getByRole('table').getByRole('row')).toHaveCount(rows.length + 1)
  const links = rows.flatMap((it) => it.link ?? [])
  const visits = page.getByRole('link', { name: t('access.visit') })
  await expect(visits).toHaveCount(links.length)
  expect(await visits.evaluateAll((all) => all.map((it) => it.getAttribute('href')))).toEqual(links)
  for (const { domain, hosts, curl } of rows) {
    await expect(page.getByText(domain, { exact: true }).first()).toBeVisible()
    for (const text of [hosts, curl]) if (text) await expect(page.locator('.code').filter({ hasText: text }).first()).toBeVisible()
  }
}

for (const language of LANGUAGES) {
  const t = says(language)

  test(`routes of other APIs are visited as the command line says (${language})`, async ({ page }) => {
    const of = await project(`access-${language}`)
    const errors = listen(page)
    await apply('project-admin', await stock(of))
    const have = async (kind: string, name: string) => (await rowsOf(of)).filter((it) => it.object.kind === kind && it.object.name === name)
    await expect.poll(async () => [...(await have('HTTPRoute', 'web')), ...(await have('VirtualService', 'web'))].filter((it) => it.link).length).toBe(3)
    await speak(page, language)

    await enter(page, 'project-admin', `/projects/${of}/others/httproutes/web`)
    await page.getByRole('tab', { name: t('access.title') }).click()
    const rows = await have('HTTPRoute', 'web')
    await shows(page, t, rows)
    await isAccessible(page)
    // What is copied works as it stands.
    const shown = (await page.locator('.code').filter({ hasText: 'curl ' }).first().textContent()) ?? ''
    const { stdout } = await promisify(execFile)('sh', ['-c', `${shown.replace('curl ', 'curl --silent --noproxy "*" --max-time 20 ')}`])
    expect(stdout).toBe('web /a')
    // Through a Gateway of Gateway API nothing is tried from here: what does it elsewhere stands there.
    await expect(page.getByText(t('unable.elsewhere', { gateway: `${of}/edge` }))).toBeVisible()
    await expect(page.getByRole('button', { name: t('unable.check') })).toHaveCount(0)
    await expect(page.getByText(`paifang explain --live ${rows[0]?.link}`)).toBeVisible()

    await page.goto(page.url().replace(/web\?.*/, 'lost?tab=access'))
    await expect(page.getByText(new RegExp(`${of}/nowhere`)).first()).toBeVisible()
    await expect(page.getByRole('link', { name: t('access.visit') })).toHaveCount(0)

    await page.goto(page.url().replace(/httproutes.*/, 'virtualservices/web?tab=access'))
    await shows(page, t, await have('VirtualService', 'web'))
    // Whose gateway it is, its users may not see: they are told what to ask.
    await expect(page.getByText(/paifang explain --live http:/)).toBeVisible()

    // Who may see it has each hop tried.
    await enter(page, 'admin', `/projects/${of}/others/virtualservices/web?tab=access`)
    await page.getByRole('button', { name: t('unable.check') }).click()
    const broken = page.locator('.hop.broken').first()
    await expect(broken).toContainText(t('hop.name'))
    await expect(broken).toContainText((await have('VirtualService', 'web'))[0]?.hosts ?? 'a line for the hosts file')
    expect(errors).toEqual([])
  })
}
