// Events of a project: the newest first, searched, warnings alone, and from each to what it is about.
import { expect, test } from '@playwright/test'
import { apply, project, type Manifest } from './kubectl'
import { enter, says, speak } from './people'
import { LANGUAGES } from './words'

const event = (namespace: string, name: string, seen: string, more: Manifest): Manifest => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace },
  firstTimestamp: seen,
  lastTimestamp: seen,
  source: { component: 'tests' },
  ...more,
})

for (const language of LANGUAGES)
  test(`events of a project, ${language}`, async ({ page }) => {
    const say = says(language)
    const namespace = await project(`events-${language}`)
    const about = (kind: string, name: string, apiVersion: string) => ({ involvedObject: { kind, name, namespace, apiVersion } })
    await apply('admin', [
      event(namespace, 'a-newer', '2026-03-02T00:00:00Z', { type: 'Normal', reason: 'Scaled', message: 'from 1 to 2', ...about('Service', 'shop', 'v1') }),
      event(namespace, 'b-older', '2026-03-01T00:00:00Z', { type: 'Warning', reason: 'HostTaken', message: 'by somebody else', ...about('Ingress', 'orders', 'networking.k8s.io/v1') }),
      event(namespace, 'c-newest', '2026-03-03T00:00:00Z', { type: 'Warning', reason: 'Unheard', message: 'of a kind that has no page', ...about('Widget', 'w', 'example.com/v1') }),
    ])
    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${namespace}`)
    await page.getByRole('link', { name: say('events.title'), exact: true }).click()
    const rows = page.locator('main tbody tr.ant-table-row')
    // Others may come from who serves the project: these stand in their order.
    const own = rows.filter({ hasText: /Widget w|Service shop|Ingress orders/ })
    await expect(own).toHaveText([/Widget w/, /Service shop/, /Ingress orders/])
    await expect(page.getByRole('link', { name: 'Widget w' })).toHaveCount(0)

    await page.getByRole('switch', { name: say('events.onlyWarnings') }).click()
    await expect(own).toHaveText([/Widget w/, /Ingress orders/])
    await page.getByRole('textbox', { name: new RegExp(`^${say('do.search')}`) }).fill('somebody else')
    await expect(rows).toHaveText([/Ingress orders/])
    await page.getByRole('link', { name: 'Ingress orders' }).click()
    await expect(page).toHaveURL(new RegExp(`/projects/${namespace}/routes/orders$`))
  })
