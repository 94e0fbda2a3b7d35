/**
 * Puts each program of src/ into one file of dist/. A process starts in half the time that it takes to find and load
 * hundreds of module files, and the server's start is two such starts in a row.
 *
 * Every file lies one folder below dist/: paths that are relative to a module (`import.meta.url`) hold from any of them.
 */
const workers = {
  'stream/main': 'src/stream/main.ts',
  'backsource/main': 'src/backsource/main.ts',
  'http/main': 'src/http/main.ts',
  'ingest/main': 'src/tools/ingest/main.ts',
  'vod-thread/main': 'src/http/vod/thread.ts',
}

/** These load most of what they have only when a sub-command asks for it: from files of their own, in dist/chunks/. */
const tools = {
  'cli/main': 'src/cli.ts',
  'bench-thread/main': 'src/tools/bench/thread.ts',
}

/** Packages that are loaded at every start; the others stay in node_modules and are loaded when they are needed. */
const bundled = ['commander', 'fastify', 'msgpackr', 'pino', 'typebox']

/** What those packages load by path or only at times. */
const neverBundled = ['thread-stream', 'pino-pretty', 'msgpackr-extract']

const entries = Object.values({ ...workers, ...tools })

function isExternal(id, importer) {
  if (id.startsWith('node:') || neverBundled.includes(id)) return true
  const isOwnFile = id.startsWith('.') || id.startsWith('/') || entries.includes(id)
  const isPartOfPackage = importer?.includes('/node_modules/') ?? false
  return !isOwnFile && !isPartOfPackage && !bundled.some((name) => id === name || id.startsWith(`${name}/`))
}

const common = { platform: 'node', external: isExternal, logLevel: 'warn' }

export default [
  ...Object.entries(workers).map(([name, source]) => ({
    ...common,
    input: { [name]: source },
    output: { dir: 'dist', format: 'esm', codeSplitting: false },
  })),
  {
    ...common,
    input: tools,
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
  },
]
