import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** The folders of src/, lowest level first. Imports go down; folders of one level do not know each other. */
const levels: readonly (readonly string[])[] = [
  ['base'],
  ['config', 'media'],
  ['ipc', 'rtmp', 'live'],
  ['client', 'access', 'cluster', 'programs', 'worker', 'pull', 'recordings'],
  ['hooks', 'edge'],
  ['master', 'backsource', 'stream', 'http', 'tools'],
  ['cli.ts'],
]

/** Packages that workers must not carry: they belong to the master, the command line and terminals. */
const masterOnly = ['typebox', 'commander', 'pino-pretty', 'ioredis']

/**
 * Parts of Node that a process without HTTP loads when it needs them, for they take tens of milliseconds of its start;
 * see base/node-builtins.ts.
 */
const loadedLate = ['crypto', 'tls', 'http', 'https', 'http2', 'zlib'].map((name) => `node:${name}`)

const maxLines = 400

/** Tables that are read by looking up, and that splitting would only hide: files that may be longer, and by how much. */
const longTables: Readonly<Record<string, number>> = { 'base/errors.ts': 600, 'ipc/contract.ts': 500 }

interface Import {
  readonly specifier: string
  /** `import type`, gone when the program runs. */
  readonly isType: boolean
  /** `import()`, loaded only when it is reached. */
  readonly isDynamic: boolean
}

interface Module {
  /** Path inside src/, as `live/source.ts`. */
  readonly path: string
  readonly lines: number
  readonly imports: readonly Import[]
}

const modules: readonly Module[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const text = readFileSync(join(source, path), 'utf8')
    return { path, lines: text.trimEnd().split('\n').length, imports: importsOf(text) }
  })

const byPath = new Map(modules.map((module) => [module.path, module]))

/** All imports of a file, re-exports too. Comments are taken out first: they may show code. */
function importsOf(text: string): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  for (const [, type, specifier] of code.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[\w*\s{},]*?\sfrom\s+)?'([^']+)'/gm,
  )) {
    found.push({ specifier: specifier!, isType: type !== undefined, isDynamic: false })
  }
  for (const [, specifier] of code.matchAll(/\bimport\('([^']+)'\)/g)) {
    found.push({ specifier: specifier!, isType: false, isDynamic: true })
  }
  return found
}

function isRelative({ specifier }: Import): boolean {
  return specifier.startsWith('.')
}

/** The path inside src/ that a relative import means. */
function targetOf(module: Module, { specifier }: Import): string {
  return posix.join(posix.dirname(module.path), specifier)
}

function folderOf(path: string): string {
  return path.split('/')[0]!
}

function levelOf(path: string): number {
  return levels.findIndex((folders) => folders.includes(folderOf(path)))
}

/** Every module that a file loads when it starts; packages are named as they are imported. */
function loadedBy(start: string): { modules: Set<string>; packages: Set<string> } {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const open = [start]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    const module = byPath.get(path)!
    for (const imported of module.imports) {
      if (imported.isType || imported.isDynamic) continue
      if (isRelative(imported)) open.push(targetOf(module, imported))
      else packages.add(imported.specifier)
    }
  }
  return { modules: seen, packages }
}

/** A cycle of imports that can be reached from a file, as a path of files; null if there is none. */
function cycleFrom(start: string, done: Set<string>, trail: readonly string[] = []): string[] | null {
  if (trail.includes(start)) return [...trail.slice(trail.indexOf(start)), start]
  if (done.has(start)) return null
  const module = byPath.get(start)!
  for (const imported of module.imports.filter(isRelative)) {
    const cycle = cycleFrom(targetOf(module, imported), done, [...trail, start])
    if (cycle !== null) return cycle
  }
  done.add(start)
  return null
}

describe('the parser of imports', () => {
  test.each<[string, Import[]]>([
    [`import { a } from './a.ts'`, [{ specifier: './a.ts', isType: false, isDynamic: false }]],
    [`import type { A } from './a.ts'`, [{ specifier: './a.ts', isType: true, isDynamic: false }]],
    [
      `import {\n  type A,\n  b,\n} from './a.ts'`,
      [{ specifier: './a.ts', isType: false, isDynamic: false }],
    ],
    [`import a, * as b from 'a'`, [{ specifier: 'a', isType: false, isDynamic: false }]],
    [`import './a.ts'`, [{ specifier: './a.ts', isType: false, isDynamic: false }]],
    [`export { a } from './a.ts'`, [{ specifier: './a.ts', isType: false, isDynamic: false }]],
    [`export type { A } from './a.ts'`, [{ specifier: './a.ts', isType: true, isDynamic: false }]],
    [`export * from './a.ts'`, [{ specifier: './a.ts', isType: false, isDynamic: false }]],
    [`  const a = await import('./a.ts')`, [{ specifier: './a.ts', isType: false, isDynamic: true }]],
    [`// import { a } from './a.ts'\n/* import './b.ts' */\nexport const from = 'x'`, []],
  ])('%j', (text, imports) => {
    expect(importsOf(text)).toStrictEqual(imports)
  })
})

describe('src/', () => {
  test('has files', () => {
    expect(modules.length).toBeGreaterThan(50)
  })

  test.each(modules)('$path', (module) => {
    expect(levelOf(module.path), `no level is known for ${folderOf(module.path)}`).toBeGreaterThanOrEqual(0)
    expect(module.path).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/)
    expect(module.lines).toBeLessThanOrEqual(longTables[module.path] ?? maxLines)
    for (const imported of module.imports.filter(isRelative)) {
      const target = targetOf(module, imported)
      expect(byPath.has(target), `${imported.specifier} is no file: imports end in .ts`).toBe(true)
      const isInside = folderOf(target) === folderOf(module.path)
      const isDown = levelOf(target) < levelOf(module.path)
      expect(isInside || isDown, `${module.path} may not import ${target}`).toBe(true)
    }
  })

  test('has no cycle of imports', () => {
    const done = new Set<string>()
    for (const { path } of modules) expect(cycleFrom(path, done)?.join(' -> ') ?? null).toBeNull()
  })
})

describe('what a worker loads', () => {
  test.each(['stream/main.ts', 'backsource/main.ts', 'http/main.ts'])('%s', (main) => {
    const loaded = loadedBy(main)
    expect(loaded.modules.size).toBeGreaterThan(10)
    expect(loaded.packages).toContain('msgpackr/pack')
    for (const name of masterOnly) {
      const found = [...loaded.packages].filter((used) => used === name || used.startsWith(`${name}/`))
      expect(found).toStrictEqual([])
    }
    expect([...loaded.modules].filter((path) => dirname(path) === 'master')).toStrictEqual([])
  })
})

describe('what is loaded before a server accepts', () => {
  test.each(['cli.ts', 'master/main.ts', 'stream/main.ts', 'backsource/main.ts'])('%s', (main) => {
    const loaded = loadedBy(main)
    expect(loaded.modules.size).toBeGreaterThan(10)
    expect(loaded.packages).toContain('node:path')
    const found = [...loaded.modules].flatMap((path) =>
      byPath
        .get(path)!
        .imports.filter(({ specifier, isType, isDynamic }) => {
          return !isType && !isDynamic && loadedLate.includes(specifier.replace(/^(?!node:)/, 'node:'))
        })
        .map(({ specifier }) => `${path}: ${specifier}`),
    )
    expect(found).toStrictEqual([])
  })
})
