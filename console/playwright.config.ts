import { defineConfig } from '@playwright/test'

// Against a console that runs: PAIFANG_CONSOLE_URL, with the users of the demo and their passwords. `e2e/serve.ts` starts one where none is named.
export default defineConfig({
  testDir: 'e2e',
  timeout: 120_000,
  expect: { timeout: 20_000 },
  workers: 1,
  globalSetup: './e2e/serve.ts',
  reporter: [['list']],
  use: {
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
    trace: 'retain-on-failure',
  },
})
