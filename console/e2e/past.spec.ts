// Warnings that are over: told as such once their object says so, or is gone, and never hidden.
import { expect, test, type Page } from '@playwright/test'
import { backend, service, type Backend } from './backend'
import { apply, kubectl, project, type Manifest } from './kubectl'
import { enter, isAccessible, listen, says, speak } from './people'
import { LANGUAGES } from './words'

const backends: Backend[] = []
test.afterAll(() => backends.forEach((it) => it.end()))

const KEY = 'nginx.ingress.kubernetes.io/no-such'
const broken = (namespace: string): Manifest[] => {
  const metadata = (name: string) => ({ name, namespace })
  const api = 'gateway.networking.k8s.io/v1'
  const path = { path: '/', pathType: 'Prefix', backend: { service: { name: 'there', port: { number: 80 } } } }
  const ingress = (name: string) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { ...metadata(name), annotations: { [KEY]: 'x' } }, spec: { rules: [{ host: `${name}.${namespace}.example`, http: { paths: [path] } }] } })
  return [
    { apiVersion: api, kind: 'Gateway', metadata: metadata('edge'), spec: { gatewayClassName: 'paifang', listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }] } },
    { apiVersion: api, kind: 'HTTPRoute', metadata: metadata('route'), spec: { parentRefs: [{ name: 'edge' }], hostnames: [`route.${namespace}.example`], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] } },
    ingress('gone'),
    ingress('mended'),
  ]
}

/** The rows of *What has happened* about an object. */
const rows = (page: Page, name: string) => page.locator('.dash .lines > li').filter({ has: page.getByText(name, { exact: true }) })

for (const language of LANGUAGES) {
  const t = says(language)

  test(`a warning that is over says so (${language})`, async ({ page }) => {
    const of = await project(`past-${language}`)
    const errors = listen(page)
    const it = await backend('web')
    backends.push(it)
    await apply('project-admin', service(of, 'there', it))
    await apply('project-admin', broken(of))
    await speak(page, language)
    await enter(page, 'project-admin', `/projects/${of}`)
    for (const name of ['route', 'gone', 'mended']) await expect(rows(page, name).first()).toBeVisible()
    await expect(page.getByText(t('events.past'))).toHaveCount(0)

    // Objects tell their times in whole seconds.
    await page.waitForTimeout(1_100)
    await apply('project-admin', service(of, 'web', it))
    await kubectl('project-admin', ['delete', 'ingress', 'gone', '-n', of])
    await kubectl('project-admin', ['annotate', 'ingress', 'mended', '-n', of, `${KEY}-`])
    for (const name of ['route', 'gone', 'mended']) await expect(rows(page, name).filter({ hasText: t('events.past') }).first()).toBeVisible()
    await isAccessible(page)

    for (const path of ['others/httproutes/route', 'routes/mended']) {
      await page.goto(page.url().replace(/projects\/.*/, `projects/${of}/${path}?tab=events`))
      await expect(page.getByRole('row').filter({ hasText: t('events.past') }).first()).toBeVisible()
      await isAccessible(page)
    }
    // What comes back stands again.
    await kubectl('project-admin', ['annotate', 'ingress', 'mended', '-n', of, `${KEY}=x`])
    await expect(page.getByRole('row').filter({ hasText: t('events.warning') }).first()).toBeVisible()
    expect(errors).toEqual([])
  })
}
