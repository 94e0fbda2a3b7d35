import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const outDir = path('../dist/web')

/** Smaller files gain nothing. */
const minCompressedBytes = 1024

/** Puts a .br and a .gz beside each file, so that the server compresses nothing. */
function precompress(): Plugin {
  return {
    name: 'weir-precompress',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(?:html|js|css|svg|txt)$/.test(name)) continue
        const bytes = readFileSync(join(outDir, name))
        if (bytes.length < minCompressedBytes) continue
        writeFileSync(join(outDir, `${name}.br`), brotliCompressSync(bytes))
        writeFileSync(join(outDir, `${name}.gz`), gzipSync(bytes, { level: 9 }))
      }
    },
  }
}

/** The pages that the HTTP worker serves: each folder with an index.html is one, all share console/assets/. */
export default defineConfig({
  root: path('.'),
  // Links between files are relative: the pages work below any path of a proxy.
  base: './',
  logLevel: 'warn',
  plugins: [precompress()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir,
    emptyOutDir: true,
    assetsDir: 'console/assets',
    // Nothing inline: the pages' Content-Security-Policy allows files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The first that know light-dark() in CSS.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // What the licences of the bundled packages ask for.
    license: { fileName: 'console/licenses.txt' },
    reportCompressedSize: false,
    // The players (mpegts.js, hls.js) are as large as they are, and loaded when somebody plays.
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      input: {
        console: path('console/index.html'),
        players: path('players/index.html'),
        publish: path('publish/index.html'),
      },
    },
  },
})
