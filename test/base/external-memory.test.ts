import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const megabyte = 1024 * 1024

const gc = vi.fn<(options: { type: string; execution: string }) => void>()

/** The kinds of collection since the last call. */
function collections(): string[] {
  return gc.mock.calls.splice(0).map(([{ type }]) => type)
}

/** The module counts for its whole process: each test gets a fresh one. */
async function freshModule() {
  vi.resetModules()
  return import('../../src/base/external-memory.ts')
}

beforeEach(() => {
  vi.stubGlobal('gc', gc)
})
afterEach(() => {
  vi.unstubAllGlobals()
  gc.mockClear()
})

describe('buffers that are noted', () => {
  test('lead to a young collection for each 4 MiB, whatever their sizes', async () => {
    const { noteBuffer } = await freshModule()
    for (let bytes = 0; bytes < 3 * megabyte; bytes += 1024) noteBuffer(1024)
    expect(collections()).toStrictEqual([])
    noteBuffer(megabyte)
    expect(collections()).toStrictEqual(['minor'])
    for (let count = 0; count < 3; count += 1) noteBuffer(5 * megabyte)
    expect(collections()).toStrictEqual(['minor', 'minor', 'minor'])
  })

  test('lead to a full one for each 32 MiB in a small process', async () => {
    const { collectFully, noteBuffer } = await freshModule()
    collectFully()
    for (let count = 0; count < 4; count += 1) noteBuffer(16 * megabyte)
    expect(collections()).toStrictEqual(['minor', 'major', 'minor', 'major'])
  })

  test('lead to a full one when much that was kept is let go, in a small process only', async () => {
    const { collectFully, noteDropped } = await freshModule()
    noteDropped(9 * megabyte)
    expect(collections()).toStrictEqual([])
    collectFully()
    noteDropped(megabyte)
    expect(collections()).toStrictEqual(['major'])
    noteDropped(7 * megabyte)
    expect(collections()).toStrictEqual([])
    noteDropped(megabyte)
    expect(collections()).toStrictEqual(['major'])
  })

  test('lead to nothing where collections cannot be asked for', async () => {
    vi.stubGlobal('gc', undefined)
    const { noteBuffer } = await freshModule()
    expect(() => noteBuffer(100 * megabyte)).not.toThrow()
  })
})
