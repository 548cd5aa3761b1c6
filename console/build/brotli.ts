// A `.br` twin for each asset worth compressing, so that the server never compresses.
import { constants, brotliCompressSync } from 'node:zlib'
import type { Plugin } from 'vite'

const COMPRESSIBLE = /\.(js|css|svg|html|json)$/
const LEAST = 512

export function brotli(): Plugin {
  return {
    name: 'brotli',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const [fileName, part] of Object.entries(bundle)) {
        // The page itself gets a nonce for each answer, so a twin of it would be wrong.
        if (!COMPRESSIBLE.test(fileName) || fileName === 'index.html') continue
        const source = Buffer.from(part.type === 'chunk' ? part.code : part.source)
        if (source.length < LEAST) continue
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: source.length }
        this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotliCompressSync(source, { params }) })
      }
    },
  }
}
