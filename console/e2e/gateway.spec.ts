import { expect, test } from '@playwright/test'
import { isAccessible, listen, says, signIn, speak } from './people'
import { LANGUAGES } from './words'

const PAGE = '/projects/demo-project/gateways'

for (const language of LANGUAGES) {
  test(`a project admin enables a gateway by node ports, looks at it and disables it (${language})`, async ({ page }) => {
    const t = says(language)
    const errors = listen(page)
    await speak(page, language)
    await signIn(page, 'project-admin', PAGE)
    await page.getByRole('button', { name: t('gateway.enable') }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByRole('radio', { name: /NodePort/ })).toBeChecked()
    await isAccessible(page)
    await dialog.getByRole('button', { name: t('gateway.enableDo'), exact: true }).click()
    await expect(page.getByText(t('gateway.running')).first()).toBeVisible({ timeout: 60_000 })
    await expect(page.getByText(/HTTP 3\d{4} · HTTPS 3\d{4}/)).toBeVisible()
    await isAccessible(page)

    await page.getByRole('button', { name: t('do.view') }).first().click()
    await expect(page).toHaveURL(/gateways\/demo-project\/gateway$/)
    for (const tab of ['gateway.options', 'gateway.status', 'meta.title', 'events.title'] as const) {
      await page.getByRole('tab', { name: t(tab) }).click()
      await isAccessible(page)
    }
    await page.getByRole('button', { name: t('do.manage') }).click()
    await page.getByRole('menuitem', { name: t('gateway.disable') }).click()
    await page.locator('#delete-name').fill('gateway')
    await page.getByRole('dialog').getByRole('button', { name: t('gateway.disable') }).click()
    await expect(page).toHaveURL(new RegExp(`${PAGE}$`))
    await expect(page.getByText(t('gateways.none'))).toBeVisible()
    expect(errors).toEqual([])
  })

  test(`an operator sees why there is nothing to enable (${language})`, async ({ page }) => {
    const t = says(language)
    await speak(page, language)
    await signIn(page, 'project-regular', PAGE)
    await expect(page.getByText(t('gateways.none'))).toBeVisible()
    await expect(page.getByRole('button', { name: t('gateway.enable') })).toHaveCount(0)
    await page.getByRole('button', { name: t('why.ask') }).click()
    await expect(page.getByText(t('gateways.mayNot'))).toBeVisible()
    await expect(page.getByText(t('why.whom', { who: 'project-admin' }))).toBeVisible()
    await isAccessible(page)
  })
}
