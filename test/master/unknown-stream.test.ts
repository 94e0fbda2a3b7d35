import { expect, test } from 'vitest'
import { MemoryRegistry } from '../../src/master/registry.ts'
import { SourceTable } from '../../src/master/source-table.ts'
import { configOf } from '../support/config.ts'
import { silentLogger } from '../support/logger.ts'
import { memoryInUse } from '../support/memory-in-use.ts'
import { asked, FakeHosts, FakeWorker, noUpstreams } from './fakes.ts'

const streams = 5000

test('a stream that somebody asks for and nobody publishes costs the master less than 1 kB', async () => {
  const config = configOf('vhost __defaultVhost__ { }')
  const table = new SourceTable(config, new FakeHosts(), new MemoryRegistry(), noUpstreams, silentLogger)
  const worker = new FakeWorker('s1')
  let absent = 0
  const ask = async (name: string): Promise<void> => {
    table.watch(worker.handle, `__defaultVhost__/live/${name}`)
    await asked()
    absent += worker.take().filter(({ t }) => t === 'source-absent').length
  }
  await ask('warm-up')
  const before = memoryInUse()
  for (let index = 0; index < streams; index += 1) await ask(`nobody-${index}`)
  const growth = memoryInUse() - before
  expect(absent).toBe(streams + 1)
  expect(growth / streams).toBeLessThan(1024)
  // It is kept, until the last one who asked has gone.
  expect(growth / streams).toBeGreaterThan(50)
  for (let index = 0; index < streams; index += 1) {
    table.unwatch(worker.handle, `__defaultVhost__/live/nobody-${index}`, 0)
  }
  expect((memoryInUse() - before) / streams).toBeLessThan(growth / streams / 4)
})
