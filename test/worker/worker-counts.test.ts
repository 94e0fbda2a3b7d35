import { expect, test } from 'vitest'
import { httpWorkers } from '../../src/worker/worker-counts.ts'
import { configOf } from '../support/config.ts'

test.each([
  ['', 0],
  ['http_workers 3;', 0],
  ['http_api { enabled on; }', 1],
  ['http_server { enabled on; } http_workers 3;', process.platform === 'linux' ? 3 : 1],
  ['http_server { enabled on; } http_workers 0;', 0],
  ['heartbeat { enabled on; }', 1],
  ['heartbeat { enabled on; } http_workers 3;', 1],
  ['heartbeat { enabled on; } http_server { enabled on; } http_workers 0;', 1],
])('%s needs %i HTTP workers', (text, workers) => {
  expect(httpWorkers(configOf(text))).toBe(workers)
})
