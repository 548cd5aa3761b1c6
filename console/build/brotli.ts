// A `.br` twin for each asset worth compressing, so that the server never compresses.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { constants, brotliCompressSync } from 'node:zlib'
import type { Plugin } from 'vite'

const COMPRESSIBLE = /\.(js|css|svg|json)$/
const LEAST = 512

export function brotli(): Plugin {
  return {
    name: 'brotli',
    apply: 'build',
    // Of the files as they are written: until then other plugins still change them.
    async writeBundle({ dir = 'dist' }, bundle) {
      for (const fileName of Object.keys(bundle).filter((it) => COMPRESSIBLE.test(it))) {
        const source = await readFile(join(dir, fileName))
        if (source.length < LEAST) continue
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: source.length }
        await writeFile(join(dir, `${fileName}.br`), brotliCompressSync(source, { params }))
      }
    },
  }
}
