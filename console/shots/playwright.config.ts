import { defineConfig } from '@playwright/test'
import usual from '../playwright.config'

// Pictures of every page, dialog and tab, of a platform that is in use: `npm run shots`. PAIFANG_SHOTS is the folder they go to, PAIFANG_KEEP
// that of the guide's (`../docs/guide/pictures`); SHOTS names some of them (by comma), HOW how they look (by comma, as `zh-dark-390`).
export default defineConfig({
  ...usual,
  testDir: '.',
  testMatch: 'pictures.ts',
  globalSetup: ['../e2e/serve.ts', './scene.ts'],
  timeout: 30_000,
  retries: 1,
})
