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

/** What those packages load only at times. */
const neverBundled = ['pino-pretty', 'msgpackr-extract']

const entries = Object.values({ ...workers, ...tools })

function isExternal(id, importer) {
  if (id.startsWith('node:') || neverBundled.includes(id)) return true
  const isOwnFile = id.startsWith('.') || id.startsWith('/') || entries.includes(id)
  const isPartOfPackage = importer?.includes('/node_modules/') ?? false
  return !isOwnFile && !isPartOfPackage && !bundled.some((name) => id === name || id.startsWith(`${name}/`))
}

/** TypeBox is one module for each of its types, and says of none that it may be left out. */
const treeshake = { moduleSideEffects: (id) => !id.includes('/node_modules/typebox/') }

/**
 * Takes Node's own modules without an `import`. That makes a namespace of each, for which Node reads every property, and
 * with `fs.promises`, `util.TextDecoder` and their like loads dozens of modules that nobody uses: 20 ms of a start.
 */
function withoutImports(code) {
  return code
    .replace(/^import "node:[^"]+";\n/gm, '')
    .replace(
      /^import (\* as )?([\w$]+)?(?:, )?(\{.*\})? ?from "(node:[^"]+)";$/gm,
      (_line, _star, whole, names, module) =>
        [whole, names?.replaceAll(' as ', ': ')]
          .filter((binding) => binding !== undefined)
          .map((binding) => `const ${binding} = globalThis.process.getBuiltinModule("${module}");`)
          .join(' '),
    )
}

/** All characters in ASCII: V8 keeps a source as long as its process lives, in two bytes a character if one needs two. */
function inAscii(code) {
  return code.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** What makes a bundle load faster, and smaller in memory. */
const quickStart = {
  name: 'quick-start',
  // Pino's transports write in a thread. Weir writes in place, and does not load what it takes to start threads.
  load: (id) =>
    id.endsWith('/node_modules/pino/lib/transport.js')
      ? "module.exports = () => { throw new Error('no transport of pino is part of this program') }"
      : null,
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = inAscii(withoutImports(chunk.code))
    }
  },
}

const common = { platform: 'node', external: isExternal, logLevel: 'warn', treeshake, plugins: [quickStart] }

export default [
  ...Object.entries(workers).map(([name, source]) => ({
    ...common,
    input: { [name]: source },
    output: { dir: 'dist', format: 'esm', codeSplitting: false, comments: false },
  })),
  {
    ...common,
    input: tools,
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', comments: false },
  },
]
