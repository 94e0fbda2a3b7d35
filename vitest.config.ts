import { defineConfig } from 'vitest/config'

const endToEnd = {
  globalSetup: ['test/e2e/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
}

/** What measures a whole server, or how soon it does something: nothing else may run beside it. */
const alone = ['console', 'crash', 'memory-bounds', 'signals'].map((name) => `test/e2e/${name}.test.ts`)

// `unit` needs nothing but Node; `e2e` and then `e2e-alone` drive the built binary with real encoders and players.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
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
