import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { defineConfig } from '@playwright/test'

// One folder for each run, so that several do not take each other's away. Its workers read this file as well.
process.env.PAIFANG_RUN ??= String(process.pid)

// Against a console that runs: PAIFANG_CONSOLE_URL, with the users of the demo and their passwords. `e2e/serve.ts` starts one where none is named.
export default defineConfig({
  testDir: 'e2e',
  outputDir: join(tmpdir(), `paifang-console-results-${process.env.PAIFANG_RUN}`),
  timeout: 120_000,
  expect: { timeout: 20_000 },
  workers: 1,
  globalSetup: './e2e/serve.ts',
  reporter: [['list']],
  use: {
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
    // Nothing that moves is waited for.
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] },
    screenshot: 'only-on-failure',
    // A trace of every step costs much of the time: it is for finding out why.
    trace: process.env.PAIFANG_TRACE ? 'retain-on-failure' : 'off',
  },
})
