// One test for each picture and each look: it goes to the page, does what the picture is of, and takes it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { drawn } from '../e2e/lab'
import { enter, speak, url } from '../e2e/people'
import { FOLDER } from './keep'
import { SHOTS } from './list'

const looks = process.env.HOW?.split(',') ?? ['en-light-1280', 'zh-dark-1280']
const named = process.env.SHOTS?.split(',')
const HEIGHTS = { wide: 800, narrow: 844 }

mkdirSync(FOLDER, { recursive: true })
for (const look of looks) {
  const [language, shade, pixels] = look.split('-') as ['en' | 'zh', 'light' | 'dark', string]
  const [width, narrow] = [Number(pixels), Number(pixels) < 600]
  for (const shot of SHOTS.filter((it) => !named || named.includes(it.name))) {
    test(`${shot.name} ${look}`, async ({ page }) => {
      await page.setViewportSize({ width, height: narrow ? HEIGHTS.narrow : HEIGHTS.wide })
      await speak(page, language)
      await page.addInitScript((it) => (localStorage.setItem('paifang.theme', it), localStorage.setItem('paifang.project', 'demo-project')), shade)
      if (shot.who) await enter(page, shot.who, shot.lost ? '/' : shot.path)
      if (!shot.who || shot.lost) await page.goto(url() + shot.path)
      await expect(page.locator('h1').first()).toBeVisible()
      if (shot.who && !shot.lost) await drawn(page)
      await shot.act?.(page, { say: (en, zh) => (language === 'zh' ? zh : en) })
      // What moves has come to rest.
      await page.waitForTimeout(600)
      if (narrow || shot.tall) await grow(page, width)
      await page.screenshot({ path: join(FOLDER, `${shot.name}.${look}.png`) })
    })
  }
}

/** The window becomes as high as the page is, so that what keeps to its edges is where people see it. */
async function grow(page: import('@playwright/test').Page, width: number) {
  const height = await page.evaluate(() => Math.ceil(document.documentElement.scrollHeight))
  const { height: now } = page.viewportSize() ?? { height: 0 }
  if (height > now) await page.setViewportSize({ width, height: Math.min(height, 4_000) })
  // What was clicked has moved, and something else is there now.
  await page.mouse.move(0, 0)
  await page.waitForTimeout(400)
}
