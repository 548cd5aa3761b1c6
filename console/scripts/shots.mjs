// Pictures of pages and dialogs: `node scripts/shots.mjs FOLDER`, against the console at PAIFANG_CONSOLE_URL with the people of the demo, whose
// passwords PASSWORDS has (`admin=…,project-admin=…,project-regular=…`). Say which with SHOTS (names, by comma) and HOW (as zh-dark-390, by comma).
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { SHOTS } from './shots/list.mjs'

const folder = process.argv[2] ?? 'shots'
const base = process.env.PAIFANG_CONSOLE_URL ?? 'https://127.0.0.1:9443'
const passwords = Object.fromEntries((process.env.PASSWORDS ?? '').split(',').map((it) => [it.slice(0, it.indexOf('=')), it.slice(it.indexOf('=') + 1)]))
const wanted = process.env.SHOTS?.split(',')
const how = process.env.HOW?.split(',') ?? ['en-light-1280', 'zh-dark-1280', 'zh-light-390']
const shots = SHOTS.filter((it) => (!wanted || wanted.includes(it.name)) && (!it.needs || passwords[it.needs]))

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
for (const one of how) {
  const [language, shade, width] = one.split('-')
  for (const who of [...new Set(shots.map((it) => it.who))]) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: 'reduce', viewport: { width: Number(width), height: Number(width) > 600 ? 800 : 844 } })
    await context.addInitScript(([l, s]) => (localStorage.setItem('paifang.language', l), localStorage.setItem('paifang.theme', s), localStorage.setItem('paifang.project', 'demo-project')), [language, shade])
    const page = await context.newPage()
    page.setDefaultTimeout(8_000)
    const tell = (what) => console.log(one, new URL(page.url()).pathname, what.slice(0, 300))
    page.on('console', (message) => message.type() === 'error' && tell(message.text()))
    page.on('pageerror', (error) => tell(`threw ${error.message}`))
    if (who) await signIn(page, who)
    for (const shot of shots.filter((it) => it.who === who)) await take(page, shot, one, { language, narrow: Number(width) < 600 }).catch((error) => console.log(one, shot.name, String(error).split('\n')[0]))
    await context.close()
  }
}
await browser.close()

async function signIn(page, who) {
  await page.goto(`${base}/sign-in`)
  await page.fill('#user', who)
  await page.fill('#password', passwords[who] ?? '')
  await page.click('button[type=submit]')
  await page.waitForSelector('main#main')
}

async function take(page, { name, path, act, tall }, one, { language, narrow }) {
  await page.goto(base + path)
  await page.waitForSelector('h1')
  await page.waitForTimeout(900)
  await act?.(page, { say: (en, zh) => (language === 'zh' ? zh : en), password: (who) => passwords[who] ?? '' })
  await page.waitForTimeout(500)
  // What sticks to the top stands there in a picture of the whole, too.
  await page.mouse.move(0, 0)
  await page.evaluate(() => scrollTo(0, 0))
  await page.screenshot({ path: join(folder, `${name}.${one}.png`), fullPage: narrow || tall === true })
}
