import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const endToEnd = {
  globalSetup: ['test/e2e/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
}

/** What measures how much a server takes in as fast as it can, or plays without a stall: nothing else may run beside it. */
const alone = ['console', 'memory-bounds'].map((name) => `test/e2e/${name}.test.ts`)

/** Files that replace modules need them fresh; to load all modules for each file would double the time of the others. */
const mocking = globSync('test/**/*.test.ts', { cwd: import.meta.dirname }).filter((file) =>
  readFileSync(join(import.meta.dirname, file), 'utf8').includes('vi.mock('),
)

const unit = { testTimeout: 30_000, maxWorkers: 2, sequence: { groupOrder: 0 } }

// `unit` needs nothing but Node, as `unit-mocking` does; `e2e` and then `e2e-alone` drive the built binary with real encoders and players.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...mocking],
          isolate: false,
          setupFiles: ['test/support/each-file.ts'],
          ...unit,
        },
      },
      { test: { name: 'unit-mocking', include: mocking, ...unit } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: alone,
          ...endToEnd,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: alone,
          ...endToEnd,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
