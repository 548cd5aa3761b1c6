import { expect, test } from '@playwright/test'
import { isAccessible, listen, PASSWORDS, says, signIn, speak, url } from './people'
import { LANGUAGES } from './words'

for (const language of LANGUAGES) {
  test(`signing in, wrongly and rightly (${language})`, async ({ page }) => {
    const t = says(language)
    const errors = listen(page)
    await speak(page, language)
    await page.goto(`${url()}/projects/demo-project/routes`)
    await expect(page).toHaveURL(/sign-in/)
    await expect(page.getByRole('heading', { name: t('signIn.title') })).toBeVisible()
    await isAccessible(page)
    await page.fill('#user', 'project-admin')
    await page.fill('#password', 'not the password')
    await page.keyboard.press('Enter')
    await expect(page.getByText(t('signIn.wrong'))).toBeVisible()
    await page.fill('#password', PASSWORDS['project-admin'])
    await page.keyboard.press('Enter')
    await expect(page).toHaveURL(/demo-project\/routes/)
    await expect(page.getByRole('heading', { name: t('routes.title') })).toBeVisible()
    await isAccessible(page)
    expect(errors).toEqual([])
  })
}

test('signing out leaves nothing behind', async ({ page }) => {
  await speak(page, 'en')
  await signIn(page, 'project-admin')
  await page.getByRole('button', { name: /You: / }).click()
  await page.getByText('Sign out').click()
  await expect(page).toHaveURL(/sign-in/)
  await page.goto(`${url()}/projects/demo-project/secrets`)
  await expect(page).toHaveURL(/sign-in/)
})
