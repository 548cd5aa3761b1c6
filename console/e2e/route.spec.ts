import { expect, test, type Page } from '@playwright/test'
import { isAccessible, listen, says, signIn, speak } from './people'
import { LANGUAGES, type Language } from './words'

const LIST = '/projects/demo-project/routes'

/** Chooses in one of antd's lists by typing. */
async function choose(page: Page, label: string, text: string) {
  await page.getByRole('combobox', { name: label }).click()
  await page.keyboard.type(text)
  await page.locator('.ant-select-item-option').filter({ hasText: new RegExp(`^${text}$`) }).first().click()
  await expect(page.locator('.ant-select-dropdown:visible')).toHaveCount(0)
}

async function begin(page: Page, language: Language, name: string) {
  const t = says(language)
  await page.getByRole('button', { name: t('routes.create') }).click()
  await page.getByRole('button', { name: t('wizard.next') }).click()
  await expect(page.getByText(t('wrong.required'))).toBeVisible()
  await page.fill('#name', name)
  await page.fill('#alias', language === 'zh' ? '演示' : 'A demonstration')
  await isAccessible(page)
  await page.getByRole('button', { name: t('wizard.next') }).click()
}

async function remove(page: Page, language: Language, name: string) {
  const t = says(language)
  await page.getByRole('button', { name: t('do.manage') }).click()
  await page.getByRole('menuitem', { name: t('do.delete') }).click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: t('do.delete') })
  await expect(confirm).toBeDisabled()
  await page.locator('#delete-name').fill(name)
  await confirm.click()
  await expect(page).toHaveURL(new RegExp(`${LIST}$`))
  await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0)
}

for (const language of LANGUAGES) {
  test(`an operator makes a route with a generated host (${language})`, async ({ page }) => {
    const t = says(language)
    const errors = listen(page)
    await speak(page, language)
    await signIn(page, 'project-regular', LIST)
    await begin(page, language, 'made-auto')
    await choose(page, `${t('rules.service')} 1`, 'httpbin')
    await expect(page.getByText(/httpbin\.demo-project\..*nip\.io/)).toBeVisible()
    await isAccessible(page)
    await page.getByRole('button', { name: t('wizard.next') }).click()
    await page.getByRole('button', { name: t('wizard.create'), exact: true }).click()
    await expect(page.getByText(/httpbin\.demo-project\.[\d.]+\.nip\.io/).first()).toBeVisible()
    await expect(page.getByRole('link', { name: t('access.visit') })).toHaveAttribute('href', /^http:\/\/httpbin\.demo-project\.[\d.]+\.nip\.io(:\d+)?\/$/)
    await isAccessible(page)
    await remove(page, language, 'made-auto')
    expect(errors).toEqual([])
  })

  test(`an operator makes a route with a domain over HTTPS (${language})`, async ({ page }) => {
    const t = says(language)
    await speak(page, language)
    await signIn(page, 'project-regular', LIST)
    await begin(page, language, 'made-domain')
    await page.getByRole('radio', { name: new RegExp(t('rules.domain')) }).check()
    await page.locator('#rule-0-host').fill('*foo.com')
    await page.locator('#rule-0-protocol').click()
    await page.locator('.ant-select-item-option').filter({ hasText: 'HTTPS' }).click()
    await page.getByRole('button', { name: t('wizard.next') }).click()
    for (const wrong of ['wrong.host', 'wrong.secret'] as const) await expect(page.getByText(t(wrong))).toBeVisible()
    await isAccessible(page)
    await page.locator('#rule-0-host').fill('shop.kubesphere.io')
    await choose(page, t('rules.secret'), 'secure-tls')
    await choose(page, `${t('rules.service')} 1`, 'httpbin')
    await page.getByRole('button', { name: t('rules.addPath') }).click()
    await page.getByRole('textbox', { name: `${t('rules.path')} 2` }).fill('/')
    await choose(page, `${t('rules.service')} 2`, 'echo')
    await page.getByRole('button', { name: t('wizard.next') }).click()
    await expect(page.getByText(t('wrong.pathTwice'))).toBeVisible()
    await page.getByRole('textbox', { name: `${t('rules.path')} 2` }).fill('/echo')
    await page.getByRole('button', { name: t('wizard.next') }).click()
    await isAccessible(page)
    await page.getByRole('button', { name: t('wizard.create'), exact: true }).click()
    await expect(page.getByRole('link', { name: t('access.visit') })).toHaveCount(2)
    await expect(page.getByRole('link', { name: t('access.visit') }).first()).toHaveAttribute('href', /^https:\/\/shop\.kubesphere\.io(:\d+)?\/$/)
    await isAccessible(page)
    await remove(page, language, 'made-domain')
  })
}
