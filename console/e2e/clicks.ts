// What people do on many pages, by the words that they see.
import { expect, type Locator, type Page } from '@playwright/test'
import type { says } from './people'

type Say = ReturnType<typeof says>

/** Chooses in a list by typing. */
export async function choose(page: Page, label: string, text: string, within: Page | Locator = page) {
  await within.getByRole('combobox', { name: label, exact: true }).click()
  await page.keyboard.type(text)
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option').filter({ hasText: new RegExp(`^${text}$`) }).first().click()
  await expect(page.locator('.ant-select-dropdown:visible')).toHaveCount(0)
}

/** Manage → this. */
export async function manage(page: Page, t: Say, item: string) {
  await page.getByRole('button', { name: t('do.manage') }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

/** Saves the dialog, which closes when that is done. */
export async function save(page: Page, t: Say) {
  await page.getByRole('dialog').getByRole('button', { name: t('do.save'), exact: true }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
}

/** The next free row of key and value in a group. */
export async function addRow(t: Say, group: Locator, add: string, key: string, value: string) {
  await group.getByRole('button', { name: add }).click()
  const row = group.locator('.pair-row').last()
  await row.getByRole('combobox', { name: new RegExp(`^${t('entries.key')}`) }).fill(key)
  await row.getByLabel(new RegExp(`^${t('entries.value')}`)).fill(value)
}

/** A dialog that asks for the name and takes no other. */
export async function confirmByName(page: Page, name: string, button: string) {
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: button, exact: true })
  await expect(confirm).toBeDisabled()
  await page.locator('#delete-name').fill(`${name}x`)
  await expect(confirm).toBeDisabled()
  await page.locator('#delete-name').fill(name)
  await confirm.click()
}

/** Goes on to the next step of the wizard. */
export const next = (page: Page, t: Say) => page.getByRole('button', { name: t('wizard.next') }).click()

/** The last step: it is made, and its page shows. */
export async function finish(page: Page, t: Say, name: string) {
  await page.getByRole('button', { name: t('wizard.create'), exact: true }).click()
  await expect(page).toHaveURL(new RegExp(`/routes/${name}\\?`))
}
