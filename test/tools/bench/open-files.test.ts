import { expect, test } from 'vitest'
import { checkOpenFiles, openFilesLimit } from '../../../src/tools/bench/open-files.ts'

test.each([
  [936, 1000],
  [1_000_000, Number.POSITIVE_INFINITY],
])('%i connections fit into %d files', (connections, limit) => {
  expect(() => checkOpenFiles(connections, limit)).not.toThrow()
})

test('connections that do not fit are refused, with both numbers', () => {
  expect(() => checkOpenFiles(937, 1000)).toThrow(
    expect.objectContaining({ code: 'OPEN_FILES', message: expect.stringMatching(/937.*1001.*1000/) }),
  )
})

test('the limit of this process is found', () => {
  expect(openFilesLimit()).toBeGreaterThanOrEqual(256)
})
