import { defineConfig } from 'vitest/config'

const endToEnd = {
  globalSetup: ['test/e2e/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
}

/** What measures how much a server takes in as fast as it can, or plays without a stall: nothing else may run beside it. */
const alone = ['console', 'memory-bounds'].map((name) => `test/e2e/${name}.test.ts`)

/** What only computes: these share a process, for to load all modules for each file takes longer than its tests. */
const pure = ['config', 'live', 'media', 'recordings', 'rtmp'].map((folder) => `test/${folder}/**/*.test.ts`)

const unit = { testTimeout: 30_000, maxWorkers: 2, sequence: { groupOrder: 0 } }

// `unit` and `unit-pure` need nothing but Node; `e2e` and then `e2e-alone` drive the built binary with real encoders and players.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit-pure',
          include: pure,
          isolate: false,
          setupFiles: ['test/support/each-file.ts'],
          ...unit,
        },
      },
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...pure],
          ...unit,
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
