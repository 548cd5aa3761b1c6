// Pictures of pages: `node scripts/shots.mjs FOLDER`, against the console at PAIFANG_CONSOLE_URL, as PAIFANG_USER with PAIFANG_PASSWORD.
// Say which with PAGES (names, by comma) and HOW (as zh-dark-390, by comma).
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from '@playwright/test'

const folder = process.argv[2] ?? 'shots'
const base = process.env.PAIFANG_CONSOLE_URL ?? 'https://127.0.0.1:9443'
const [user, password] = [process.env.PAIFANG_USER ?? 'project-admin', process.env.PAIFANG_PASSWORD ?? '']
const at = '/projects/demo-project'
const PAGES = {
  overview: at,
  projects: '/',
  routes: `${at}/routes`,
  route: `${at}/routes/demo`,
  access: `${at}/routes/demo?tab=access`,
  yaml: `${at}/routes/demo/yaml`,
  wizard: `${at}/routes/new`,
  gateways: `${at}/gateways`,
  gateway: `${at}/gateways/demo-project/gateway`,
  services: `${at}/services`,
  service: `${at}/services/httpbin`,
  secrets: `${at}/secrets`,
  others: `${at}/others/httproutes`,
  try: `${at}/try`,
  members: `${at}/members`,
  roles: `${at}/roles`,
  workspaces: '/workspaces',
  workspace: '/workspaces/demo-workspace',
  users: '/users',
  cluster: '/cluster/gateways',
  pools: '/cluster/pools',
  account: '/account',
}
const wanted = process.env.PAGES?.split(',') ?? ['sign-in', ...Object.keys(PAGES)]
const how = process.env.HOW?.split(',') ?? ['en-light-1280', 'zh-dark-1280', 'zh-light-390']

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
for (const one of how) {
  const [language, shade, width] = one.split('-')
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: Number(width), height: Number(width) > 600 ? 800 : 844 } })
  await context.addInitScript(([l, s]) => (localStorage.setItem('paifang.language', l), localStorage.setItem('paifang.theme', s)), [language, shade])
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && console.log(one, new URL(page.url()).pathname, message.text().slice(0, 300)))
  page.on('pageerror', (error) => console.log(one, new URL(page.url()).pathname, 'threw', error.message.slice(0, 300)))
  const shoot = async (name) => {
    await page.screenshot({ path: join(folder, `${name}.${one}.png`), fullPage: Number(width) < 600 })
  }
  await page.goto(`${base}/sign-in`)
  await page.waitForSelector('#user')
  if (wanted.includes('sign-in')) await shoot('sign-in')
  await page.fill('#user', user)
  await page.fill('#password', password)
  await page.click('button[type=submit]')
  await page.waitForSelector('main#main')
  for (const name of wanted.filter((it) => it in PAGES)) {
    await page.goto(base + PAGES[name])
    await page.waitForSelector('h1', { timeout: 8_000 }).catch(() => console.log(one, name, 'has no heading'))
    await page.waitForTimeout(700)
    await shoot(name)
  }
  await context.close()
}
await browser.close()
