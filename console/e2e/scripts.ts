// Whether anything on a page was run, or taken for markup, that is none of ours.
import { expect, type Page } from '@playwright/test'
import { drawn } from './lab'

export interface Watchman {
  ran: string[]
  violations: string[]
  /** All texts that were on the pages. */
  texts: string[]
}

/** To be set up before the first page. */
export async function watchOver(page: Page): Promise<Watchman> {
  const found: Watchman = { ran: [], violations: [], texts: [] }
  await page.exposeFunction('canary', (field: string) => void found.ran.push(field))
  await page.exposeFunction('violated', (what: string) => void found.violations.push(what))
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (it) => (window as unknown as { violated: (what: string) => void }).violated(`${it.violatedDirective} ${it.blockedURI} ${it.sourceFile}:${it.lineNumber}`)))
  page.on('dialog', (it) => (found.ran.push(`dialog ${it.message()}`), void it.dismiss()))
  page.on('pageerror', (it) => found.ran.push(`error ${it.message}`))
  return found
}

/** Reads what is shown, and sees to it that all of it is text. */
export async function look(page: Page, found: Watchman) {
  found.texts.push(
    await page.evaluate(() => {
      const fields = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input, textarea')].map((it) => it.value)
      return [document.body.innerText, ...fields].join('\n')
    }),
  )
  expect(await page.locator('img[src=x], main script, [onerror], [onload], [onclick], svg[onload]').count(), `${page.url()} has markup of others`).toBe(0)
  const links = await page.locator('a[href], form[action], iframe').evaluateAll((all) => all.map((it) => it.getAttribute('href') ?? it.getAttribute('action') ?? it.tagName))
  for (const link of links) expect(link, page.url()).toMatch(/^(https?:\/\/|\/(?!\/)|#)/)
}

/** Each tab of a page, one after the other. */
export async function eachTab(page: Page, then: (name: string) => Promise<void>) {
  const tabs = page.locator('main [role=tab]')
  const count = await tabs.count()
  if (count === 0) return then('')
  for (let index = 0; index < count; index += 1) {
    await tabs.nth(index).click()
    await drawn(page)
    await then((await tabs.nth(index).innerText()).trim())
  }
}
