import { expect, test } from '@playwright/test'
import { isAccessible, listen, says, signIn, speak, url } from './people'
import { LANGUAGES } from './words'

const AT = '/projects/demo-project'
const PAGES = [AT, `${AT}/services`, `${AT}/services/httpbin`, `${AT}/secrets`, `${AT}/others/httproutes`, `${AT}/events`, `${AT}/try`, `${AT}/members`, `${AT}/roles`, `${AT}/routes/demo`, `${AT}/routes/demo/yaml`, '/workspaces', '/account', '/cluster/pools']
const OF_THE_PLATFORM = ['/', '/users', '/cluster/gateways', '/workspaces/demo-workspace']

for (const language of LANGUAGES) {
  for (const [person, pages] of [['project-admin', PAGES], ['admin', OF_THE_PLATFORM]] as const) {
    test(`each page of ${person} is whole, at both widths (${language})`, async ({ page }) => {
      test.setTimeout(180_000)
      const errors = listen(page)
      await speak(page, language)
      await signIn(page, person)
      for (const path of pages) {
        await page.goto(url() + path)
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
        await isAccessible(page)
        await page.setViewportSize({ width: 390, height: 844 })
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        expect(beyond, `${path} is wider than a telephone`).toBeLessThanOrEqual(0)
        await page.setViewportSize({ width: 1280, height: 800 })
      }
      expect(errors).toEqual([])
    })
  }
}

test('what is not there, or may not be seen, is a page with a way back', async ({ page }) => {
  await speak(page, 'en')
  await signIn(page, 'project-admin')
  for (const path of ['routes/gone', 'services/gone', 'others/httproutes/gone']) {
    await page.goto(`${url()}${AT}/${path}`)
    await expect(page.getByRole('heading', { level: 1, name: 'gone', exact: true })).toBeVisible()
    await expect(page.getByText(says('en')('routes.goneAbout'))).toBeVisible()
    await isAccessible(page)
    await expect(page.locator(`main a[href="${AT}/${path.replace('/gone', '')}"]`)).toBeVisible()
  }
})
