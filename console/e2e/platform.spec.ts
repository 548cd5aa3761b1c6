// Users, workspaces, projects, members and roles, by who may make them; and what those see who are made members.
import { expect, test, type Page } from '@playwright/test'
import { permissionName } from '../src/words/permissions'
import { isAccessible, listen, says, signIn, speak, url } from './people'
import { LANGUAGES, type Language, type WordKey } from './words'

const FRESH = 'A-new-Passw0rd-of-1'
const dialog = (page: Page) => page.getByRole('dialog')

/** Of a list in a dialog. */
async function choose(page: Page, label: string, option: string) {
  await dialog(page).getByRole('combobox', { name: label }).click()
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option').filter({ hasText: option }).first().click()
}

const press = (page: Page, name: string) => dialog(page).getByRole('button', { name }).last().click()

async function inMenu(page: Page, language: Language, of: string, action: WordKey) {
  const t = says(language)
  await page.getByRole('button', { name: `${t('do.more')}: ${of}`, exact: true }).click()
  await page.getByRole('menuitem', { name: t(action) }).click()
}

async function removeByName(page: Page, language: Language, name: string) {
  await dialog(page).locator('#delete-name').fill(name)
  await press(page, says(language)('do.delete'))
  await expect(dialog(page)).toHaveCount(0)
}

for (const language of LANGUAGES) {
  test(`somebody new gets a workspace, a project, members and a role of their own (${language})`, async ({ page, browser }) => {
    test.setTimeout(180_000)
    const t = says(language)
    const [user, workspace, project] = [`anna-${language}`, `team-${language}`, `shop-${language}`]
    const errors = listen(page)
    await speak(page, language)
    await signIn(page, 'admin', '/users')

    await page.getByRole('button', { name: t('users.create') }).click()
    await press(page, t('do.create'))
    await expect(dialog(page).getByText(t('wrong.name'))).toBeVisible()
    await dialog(page).locator('#user-name').fill(user)
    await dialog(page).locator('#user-email').fill('nowhere')
    await press(page, t('do.create'))
    await expect(dialog(page).getByText(t('wrong.email'))).toBeVisible()
    await dialog(page).locator('#user-email').fill('anna@example.com')
    await isAccessible(page)
    await press(page, t('do.create'))
    await expect(dialog(page).getByText(t('users.oneTime', { name: user }))).toBeVisible()
    const password = (await dialog(page).locator('.code').innerText()).trim()
    await press(page, t('do.close'))

    await page.goto(`${url()}/workspaces`)
    await page.getByRole('button', { name: t('workspaces.create') }).click()
    await dialog(page).locator('#place-name').fill(workspace)
    await dialog(page).locator('#place-alias').fill(`Team ${language}`)
    await press(page, t('do.create'))
    await page.getByRole('link', { name: `Team ${language}` }).click()

    await page.getByRole('button', { name: t('projects.create') }).click()
    await dialog(page).locator('#place-name').fill('demo-project')
    await press(page, t('do.create'))
    await expect(dialog(page).getByText(t('error.exists'))).toBeVisible()
    await dialog(page).locator('#place-name').fill(project)
    await press(page, t('do.create'))
    await expect(page.getByRole('link', { name: project })).toBeVisible()
    // What could not be made has left nothing behind.
    await expect(page.getByRole('link', { name: 'demo-project' })).toHaveCount(0)

    await page.goto(`${url()}/projects/${project}/roles`)
    await page.getByRole('button', { name: t('roles.create') }).click()
    await press(page, t('do.create'))
    await expect(dialog(page).getByText(t('roles.chooseOne'))).toBeVisible()
    await dialog(page).locator('#role-name').fill('router')
    await choose(page, 'routes', t('level.manage'))
    await choose(page, 'services', t('level.view'))
    await press(page, t('do.create'))
    await expect(page.getByText(`${permissionName('routes', language)}: ${t('level.manage')}, ${permissionName('services', language)}: ${t('level.view')}`)).toBeVisible()
    await expect(page.getByText(t('roles.drifted'))).toHaveCount(0)

    await page.goto(`${url()}/projects/${project}/members`)
    await page.getByRole('button', { name: t('members.invite') }).click()
    await choose(page, t('members.member'), user)
    await choose(page, t('members.role'), 'router')
    await isAccessible(page)
    await press(page, t('members.inviteDo'))
    await expect(page.getByRole('row', { name: new RegExp(`${user}.*router`) })).toBeVisible()

    const theirs = await browser.newPage()
    await speak(theirs, language)
    await theirs.goto(`${url()}/sign-in?return=${encodeURIComponent(`/projects/${project}/routes`)}`)
    await theirs.fill('#user', user)
    await theirs.fill('#password', password)
    await theirs.click('button[type=submit]')
    await expect(theirs.getByRole('heading', { name: t('signIn.choose') })).toBeVisible()
    await isAccessible(theirs)
    await theirs.fill('#new', FRESH)
    await theirs.fill('#again', FRESH)
    await theirs.click('button[type=submit]')
    await expect(theirs.getByRole('button', { name: t('routes.create') }).first()).toBeVisible()

    await page.goto(`${url()}/projects/${project}/roles`)
    await inMenu(page, language, 'router', 'do.delete')
    await expect(dialog(page).getByText(t('roles.held', { who: user }))).toBeVisible()
    await page.keyboard.press('Escape')
    await page.goto(`${url()}/projects/${project}/members`)
    await inMenu(page, language, user, 'members.change')
    await choose(page, t('members.role'), 'viewer')
    await press(page, t('do.save'))
    await expect(page.getByRole('row', { name: new RegExp(`${user}.*viewer`) })).toBeVisible()
    await expect(page.getByRole('row', { name: new RegExp(`${user}.*router`) })).toHaveCount(0)

    await page.goto(`${url()}/users`)
    await inMenu(page, language, user, 'users.suspend')
    await press(page, t('users.suspend'))
    await expect(page.getByRole('row', { name: new RegExp(user) }).getByText(t('users.suspended'))).toBeVisible()
    await theirs.goto(`${url()}/account`)
    await expect(theirs).toHaveURL(/sign-in/)
    await theirs.close()

    await inMenu(page, language, user, 'do.delete')
    await removeByName(page, language, user)
    await page.goto(`${url()}/workspaces/${workspace}`)
    await page.getByRole('button', { name: t('do.manage') }).click()
    await page.getByRole('menuitem', { name: t('do.delete') }).click()
    await removeByName(page, language, workspace)
    await expect(page).toHaveURL(/\/workspaces$/)
    expect(errors).toEqual([])
  })
}

test('a project that is a namespace of the workspace, and no object of its own, says when it was made', async ({ page }) => {
  await speak(page, 'en')
  await signIn(page, 'admin', '/workspaces/demo-workspace')
  await expect(page.getByRole('row').filter({ hasText: 'demo-project' }).locator('time')).toBeVisible()
})
