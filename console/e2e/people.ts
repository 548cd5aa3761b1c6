// The people of the demo, and how they sign in.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { expect, type BrowserContext, type Page } from '@playwright/test'
import en from '../src/words/en'
import zh from '../src/words/zh'
import { fill, type Language, type WordKey } from './words'

export const PASSWORDS = { admin: 'Platform-Passw0rd-1', 'project-admin': 'Passw0rd-project-admin-1', 'project-regular': 'Passw0rd-project-regular-1' }
export type Person = keyof typeof PASSWORDS

export const url = () => process.env.PAIFANG_CONSOLE_URL ?? ''
export const says = (language: Language) => (key: WordKey, values: Record<string, string | number> = {}) => fill((language === 'zh' ? zh : en)[key], values)

export async function speak(page: Page, language: Language) {
  await page.addInitScript((it) => {
    // It runs in what a browser shows before the first page, too, which has no such place.
    if (location.protocol.startsWith('http')) localStorage.setItem('paifang.language', it)
  }, language)
}

export async function signIn(page: Page, person: Person, path = '/', at = url()) {
  await page.goto(`${at}/sign-in?return=${encodeURIComponent(path)}`)
  await page.fill('#user', person)
  await page.fill('#password', PASSWORDS[person])
  await page.click('button[type=submit]')
  await expect(page.locator('main#main')).toBeVisible()
}

const kept = new Map<Person, Awaited<ReturnType<BrowserContext['cookies']>>>()

/** Comes back to a session of that person, where there is one in this run that still stands; the form takes its time. */
export async function enter(page: Page, person: Person, path = '/') {
  await page.context().clearCookies()
  await page.context().addCookies(kept.get(person) ?? [])
  await page.goto(url() + path)
  const main = page.locator('main#main')
  await expect(main.or(page.locator('#user')).first()).toBeVisible()
  if (await main.isVisible()) return
  await signIn(page, person, path)
  kept.set(person, await page.context().cookies())
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Found {
  violations: { id: string; help: string; nodes: { target: string[] }[] }[]
}

/** Nothing on the page keeps somebody out who uses a keyboard or a screen reader. */
export async function isAccessible(page: Page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<Found>('axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })')
  expect(violations.map((it) => `${it.id}: ${it.help} (${it.nodes.map((node) => node.target.join(' ')).join('; ')})`)).toEqual([])
}

/** Neither an error nor a refused resource was met. */
export function listen(page: Page) {
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text()) && errors.push(message.text()))
  return errors
}
