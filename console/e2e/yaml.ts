// The YAML editor, as somebody uses it who changes a line.
import { expect, type Page } from '@playwright/test'

/** Puts another text in the place of what is written on that line, behind its indentation. */
export async function rewrite(page: Page, line: string, text: string) {
  const found = page.locator('.cm-line').filter({ hasText: line }).first()
  // The editor draws its lines anew while it reads its schema.
  await expect(() => found.scrollIntoViewIfNeeded({ timeout: 2_000 })).toPass()
  await found.click()
  // To where the text of the line begins.
  await page.keyboard.press('End')
  await page.keyboard.press('Home')
  await page.keyboard.press('Shift+End')
  await page.keyboard.insertText(text)
  await expect(page.locator('.cm-line').filter({ hasText: text }).first()).toBeVisible()
}
