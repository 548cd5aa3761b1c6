// What somebody is offered is what they may: each control of each page for each role, beside the same request made without any page.
import { expect, test, type Page } from '@playwright/test'
import { ACTIONS, furnish, OWN_ACCOUNT, READS, ROLES, type Action, type Control } from './actions'
import { as, drawn, visit } from './lab'
import { offeredBySource } from './offered'
import { says, speak } from './people'

const t = says('en')
const textOf = ({ text }: Control) => (typeof text === 'string' ? t(text) : text.exactly)
/** The name of a control, whose icon may say its own before it. */
const named = (text: string) => new RegExp(`(^|\\s)${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)

/** Whether the API lets somebody; nothing is changed by it. */
async function verdict(role: string, { ask: { method, path, body, type }, may = [], name }: Action): Promise<boolean> {
  const { status, text } = await (await as(role)).ask(method, path, body, type)
  if (status === 403) return false
  expect((status >= 200 && status < 300) || may.includes(status), `${name} as ${role}: ${status} ${text.slice(0, 300)}`).toBe(true)
  return true
}

test.beforeAll(async () => {
  test.setTimeout(240_000)
  await furnish()
})

test('everything that the source offers stands in the table', () => {
  const rows = new Set([...ACTIONS.flatMap((it) => it.offered), ...READS, ...OWN_ACCOUNT])
  expect(offeredBySource()).toEqual([...rows].sort())
})

test('each action is for somebody, and not for everybody', async () => {
  const all = Object.keys(ROLES)
  for (const action of ACTIONS) {
    const who = await Promise.all(all.map((role) => verdict(role, action)))
    const may = all.filter((_, index) => who[index])
    expect(may.length, `${action.name} is for ${may.join(', ') || 'nobody'}`).toBeGreaterThan(0)
    expect(may.length, `${action.name} is for ${may.join(', ')}`).toBeLessThan(all.length)
  }
})

/** The controls of a page as they are read; a menu is opened once. */
class Reader {
  readonly #menus = new Map<string, string[]>()
  constructor(readonly page: Page) {}

  async has(control: Control): Promise<boolean> {
    if (control.menu) return (await this.#menu(control.menu)).includes(textOf(control))
    if (control.is === 'link' && typeof control.text === 'object') return (await this.page.locator(`nav a[href="${control.text.exactly}"]`).count()) > 0
    return (await this.page.getByRole(control.is ?? 'button', { name: named(textOf(control)) }).count()) > 0
  }

  async #menu(menu: NonNullable<Control['menu']>): Promise<string[]> {
    const name = menu === 'page' ? t('do.manage') : `${t('do.more')}: ${menu.row}`
    const before = this.#menus.get(name)
    if (before) return before
    const button = this.page.getByRole('button', { name: menu === 'page' ? new RegExp(`^${name}`) : named(name) })
    const items: string[] = []
    if ((await button.count()) > 0) {
      await button.click()
      const open = this.page.locator('.ant-dropdown:not(.ant-dropdown-hidden) [role=menuitem]')
      await expect(open.first()).toBeVisible()
      items.push(...(await open.allInnerTexts()).map((it) => it.trim()))
      await this.page.keyboard.press('Escape')
      await expect(open).toHaveCount(0)
    }
    this.#menus.set(name, items)
    return items
  }
}

/** Whether the page says on demand why something is not offered; where the page itself is refused, it has said so. */
async function explained(page: Page, why: string): Promise<boolean> {
  if ((await page.getByText(t('error.forbidden')).count()) > 0) return true
  const ask = page.getByRole('button', { name: t('why.ask') })
  if ((await ask.count()) === 0) return false
  await ask.first().click()
  await expect(page.getByText(why).first()).toBeVisible()
  await page.keyboard.press('Escape')
  return true
}

async function differences(page: Page, role: string, actions: Action[]): Promise<string[]> {
  const found: string[] = []
  const reader = new Reader(page)
  for (const action of actions) {
    const [may, shown] = [await verdict(role, action), await reader.has(action.at)]
    if (may !== shown) found.push(`${action.name}: ${may ? 'allowed, and not offered' : 'offered, and refused'}`)
    if (!may && action.at.why && !(await explained(page, t(action.at.why)))) found.push(`${action.name}: it is not said why not`)
  }
  return found
}

const viewOf = ({ at: { page, tab } }: Action) => `${page} ${tab ?? ''}`
const views = [...new Set(ACTIONS.map(viewOf))].map((view) => ACTIONS.filter((it) => viewOf(it) === view))

for (const role of Object.keys(ROLES)) {
  test(`${role} is offered what they may do, and nothing else`, async ({ page }) => {
    test.setTimeout(300_000)
    page.setDefaultTimeout(10_000)
    await speak(page, 'en')
    await (await as(role)).enter(page)
    const found: string[] = []
    for (const actions of views) {
      const { page: path, tab } = actions[0]!.at
      const problem = await visit(page, path).then(() => '', (error: unknown) => String(error).split('\n')[0])
      if (problem) found.push(`${path} is not drawn: ${problem}`)
      if (tab) {
        const there = page.getByRole('tab', { name: t(tab) })
        if ((await there.count()) > 0) await there.click()
        if (!problem) await drawn(page)
      }
      found.push(...(await differences(page, role, actions)))
    }
    expect(found).toEqual([])
  })
}
