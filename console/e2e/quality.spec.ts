// Every page, tab and dialog: for who uses a keyboard, a screen reader or a telephone, in both languages, light and dark, and by itself.
import { expect, test, type Page } from '@playwright/test'
import { ACTIONS, furnish, type Action } from './actions'
import { as, drawn, visit } from './lab'
import { isAccessible, PASSWORDS, says, speak, url } from './people'
import { eachTab, watchOver } from './scripts'
import { ALL, pathsOfRouter, VIEWS } from './views'
import { LANGUAGES } from './words'

test.beforeAll(async () => {
  test.setTimeout(240_000)
  await furnish()
})

test('every page of the router is looked at', () => {
  expect(pathsOfRouter().sort()).toEqual(Object.keys(VIEWS).sort())
})

async function shade(page: Page, wanted: 'light' | 'dark') {
  const is = await page.evaluate(() => document.documentElement.dataset.theme)
  if (is !== wanted) await page.locator('.bar-button[aria-label]').filter({ has: page.locator('.anticon-sun, .anticon-moon') }).click()
  await expect(page.locator(`html[data-theme=${wanted}]`)).toBeAttached()
}

/** What axe finds, said with where it was. */
async function findings(page: Page, where: string): Promise<string[]> {
  return isAccessible(page).then(() => [], (error: unknown) => [`${where}: ${String(error).replaceAll(/\u001b\[\d+m/g, '').split('\n').filter((it) => /^\s*[-+]\s+"/.test(it)).join(' ')}`])
}

async function tooWide(page: Page, where: string): Promise<string[]> {
  await page.setViewportSize({ width: 390, height: 844 })
  await drawn(page)
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  await page.setViewportSize({ width: 1280, height: 800 })
  return beyond > 0 ? [`${where} is ${beyond} pixels wider than a telephone`] : []
}

for (const language of LANGUAGES) {
  test(`every page and tab is for everybody, at both widths, light and dark (${language})`, async ({ page }) => {
    test.setTimeout(900_000)
    page.setDefaultTimeout(20_000)
    const found = await watchOver(page)
    const outside: string[] = []
    page.on('request', (it) => void (it.url().startsWith(url()) || /^(data|blob):/.test(it.url()) || outside.push(it.url())))
    await speak(page, language)
    await (await as('admin')).enter(page)
    const wrong: string[] = []
    for (const path of ALL) {
      await visit(page, path)
      await eachTab(page, async (tab) => {
        const where = `${path}${tab && ` (${tab})`}`
        if ((await page.getByRole('heading', { level: 1 }).count()) !== 1) wrong.push(`${where} has no heading of its own`)
        for (const it of ['light', 'dark'] as const) {
          await shade(page, it)
          wrong.push(...(await findings(page, `${where}, ${it}`)))
        }
        wrong.push(...(await tooWide(page, where)))
      })
    }
    expect(wrong).toEqual([])
    expect(found.violations).toEqual([])
    expect(found.ran).toEqual([])
    expect(outside).toEqual([])
  })

  test(`every dialog is for everybody, at both widths (${language})`, async ({ page }) => {
    test.setTimeout(900_000)
    page.setDefaultTimeout(20_000)
    const found = await watchOver(page)
    await speak(page, language)
    await (await as('admin')).enter(page)
    const wrong: string[] = []
    // One of each: what is edited in four kinds of object by the same dialog is looked at once.
    const seen = new Set<string>()
    for (const action of ACTIONS.filter((it) => !it.at.does)) {
      const mark = `${action.offered[0]} ${JSON.stringify(action.at.text)}`
      if (seen.has(mark)) continue
      seen.add(mark)
      await visit(page, action.at.page)
      await openDialog(page, action, language)
      const dialog = page.getByRole('dialog')
      await expect(dialog, action.name).toBeVisible()
      wrong.push(...(await findings(page, action.name)), ...(await tooWide(page, action.name)))
      await page.keyboard.press('Escape')
      if ((await dialog.count()) > 0) await expect(dialog, `${action.name} closes by Escape`).toBeHidden()
    }
    expect(wrong).toEqual([])
    expect(found.violations).toEqual([])
  })
}

async function openDialog(page: Page, { at }: Action, language: (typeof LANGUAGES)[number]) {
  const t = says(language)
  const text = typeof at.text === 'string' ? t(at.text) : at.text.exactly
  if (at.tab) await page.getByRole('tab', { name: t(at.tab) }).click()
  if (!at.menu) return page.getByRole('button', { name: new RegExp(`(^|\\s)${text}$`) }).first().click()
  const menu = at.menu === 'page' ? new RegExp(`^${t('do.manage')}`) : new RegExp(`${t('do.more')}: ${at.menu.row}$`)
  await page.getByRole('button', { name: menu }).click()
  await page.getByRole('menuitem', { name: new RegExp(`(^|\\s)${text}$`) }).click()
}

/** Presses Tab until what is wanted has the focus, which is always to be seen. */
async function tabTo(page: Page, name: string | RegExp, role = 'button|link|textbox|combobox|radio|switch|tab') {
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press('Tab')
    const focus = page.locator(':focus')
    if ((await focus.count()) === 0) continue
    const is = await focus.evaluate((it) => {
      const labels = [...((it as HTMLInputElement).labels ?? [])].map((one) => one.innerText).join(' ')
      const box = it.getBoundingClientRect()
      return { role: it.getAttribute('role') ?? { A: 'link', BUTTON: 'button', INPUT: (it as HTMLInputElement).type === 'radio' ? 'radio' : 'textbox', TEXTAREA: 'textbox' }[it.tagName] ?? '', name: (it.getAttribute('aria-label') ?? (labels || (it as HTMLElement).innerText)).trim(), seen: box.bottom > 0 && box.top < innerHeight }
    })
    expect(is.seen, `what has the focus is on the screen: ${is.role} ${is.name}`).toBe(true)
    if (new RegExp(role).test(is.role) && (typeof name === 'string' ? is.name === name : name.test(is.name))) return
  }
  throw new Error(`no Tab leads to ${String(name)}`)
}

test('a route is made and a gateway enabled by the keyboard alone', async ({ page }) => {
  test.setTimeout(300_000)
  page.setDefaultTimeout(20_000)
  const t = says('en')
  const admin = await as('admin')
  const [routes, gateways] = ['/apis/networking.k8s.io/v1/namespaces/demo-project/ingresses', '/apis/paifang.dev/v1alpha1/namespaces/demo-project/ingressgateways']
  await admin.ask('DELETE', `${routes}/by-keys`, {})
  await admin.ask('DELETE', `${gateways}/gateway`, {})
  await speak(page, 'en')
  await page.goto(`${url()}/sign-in?return=/projects/demo-project/routes`)
  await expect(page.locator('#user')).toBeFocused()
  await page.keyboard.type('project-admin')
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORDS['project-admin'])
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: t('routes.title') })).toBeVisible()
  await drawn(page)

  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: t('shell.skip') })).toBeFocused()
  await page.keyboard.press('Enter')
  await tabTo(page, t('routes.create'))
  await page.keyboard.press('Enter')
  await expect(page.locator('#name')).toBeFocused()
  await page.keyboard.type('by-keys')
  await tabTo(page, t('wizard.next'))
  await page.keyboard.press('Enter')
  await tabTo(page, `${t('rules.service')} 1`)
  await page.keyboard.type('httpbin')
  await page.keyboard.press('Enter')
  await tabTo(page, t('wizard.next'))
  await page.keyboard.press('Enter')
  await tabTo(page, t('wizard.create'))
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/routes\/by-keys/)

  await tabTo(page, t('gateways.title'), 'link')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: t('gateways.title') })).toBeVisible()
  await drawn(page)
  await tabTo(page, t('gateway.enable'))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await expect(dialog).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('button', { name: t('gateway.enable') }), 'the focus comes back').toBeFocused()
  await page.keyboard.press('Enter')
  await tabTo(page, /NodePort/, 'radio')
  await page.keyboard.press('ArrowRight')
  await expect(dialog.getByRole('radio', { name: /LoadBalancer/ })).toBeChecked()
  await page.keyboard.press('ArrowLeft')
  await expect(dialog.getByRole('radio', { name: /NodePort/ })).toBeChecked()
  await tabTo(page, t('gateway.enableDo'))
  await page.keyboard.press('Enter')
  await expect(page.getByText(t('gateway.running')).first()).toBeVisible({ timeout: 60_000 })
  await admin.ask('DELETE', `${routes}/by-keys`, {})
  await admin.ask('DELETE', `${gateways}/gateway`, {})
})

test('the first view is measured', async ({ browser }) => {
  for (const [what, path] of [['the sign-in', '/sign-in'], ['the first list', '/projects/demo-project/routes']] as const) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    if (path !== '/sign-in') await (await as('project-regular')).enter(page)
    await page.goto(url() + path, { waitUntil: 'commit' })
    const wanted = path === '/sign-in' ? '#password' : 'main .ant-table-row'
    const took = await page.waitForFunction((it) => (document.querySelector(it) ? performance.now() : 0), wanted, { polling: 'raf' })
    const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)
    console.log(`${what}: first paint after ${Math.round(painted)} ms, whole after ${Math.round(Number(await took.jsonValue()))} ms`)
    await context.close()
  }
})
