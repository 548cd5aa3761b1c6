import { readFileSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { brotli } from './build/brotli'
import { standIn } from './build/stand-in'

// A folder with tls.crt and tls.key: browsers open only 6 connections to an origin without HTTP/2, and each list is one.
const tls = process.env.PAIFANG_DEV_TLS
const https = tls ? { https: { cert: readFileSync(`${tls}/tls.crt`), key: readFileSync(`${tls}/tls.key`) } } : {}

export default defineConfig({
  plugins: [react(), brotli(), standIn()],
  server: https,
  preview: https,
  build: {
    manifest: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
})
