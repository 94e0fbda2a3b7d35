import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PublishId, ToMaster } from '../../src/ipc/contract.ts'
import { MemoryRegistry } from '../../src/master/registry.ts'
import { SourceTable } from '../../src/master/source-table.ts'
import { configOf } from '../support/config.ts'
import { silentLogger } from '../support/logger.ts'
import { FakeHosts, FakeWorker, noUpstreams } from './fakes.ts'

const stream = '__defaultVhost__/live/x'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A stream that publisher 1 of a worker publishes; it is closed 10 s after its publisher left. */
async function published(hls: string) {
  const hosts = new FakeHosts()
  const config = configOf(`source_linger 10; vhost __defaultVhost__ { hls { ${hls} } }`)
  const table = new SourceTable(config, hosts, new MemoryRegistry(), noUpstreams, silentLogger)
  const worker = new FakeWorker('s1')
  const publish = (publishId: PublishId): Promise<void> => {
    const message = { publishId, stream, ip: '10.0.0.1', connectionId: `c${publishId}`, param: '' }
    return table.publish(worker.handle, { t: 'publish', ...message } satisfies ToMaster)
  }
  await publish(1)
  worker.take()
  hosts.workers[0]!.take()
  return { table, hosts, worker, publish, leave: () => table.unpublish(worker.handle, 1, stream) }
}

const dispose = { t: 'dispose', stream }

describe('hls_dispose', () => {
  test('shorter than source_linger is done by the back-source that has the stream', async () => {
    const { hosts, leave } = await published('enabled on; hls_dispose 5;')
    leave()
    vi.advanceTimersByTime(4999)
    expect(hosts.workers[0]!.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(hosts.workers[0]!.take()).toEqual([dispose])
    expect(hosts.released).toEqual([])
  })

  test('longer than it is done by another, which is released', async () => {
    const { hosts, leave } = await published('enabled on; hls_dispose 60;')
    leave()
    vi.advanceTimersByTime(10_000)
    expect(hosts.workers[0]!.take()).toEqual([{ t: 'close', source: 1 }])
    vi.advanceTimersByTime(49_999)
    expect(hosts.workers).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(hosts.workers[1]!.take()).toEqual([dispose])
    expect(hosts.released).toEqual(hosts.members)
  })

  test('of what is in memory has an end, as long as the playlist after the stream', async () => {
    const { hosts, leave } = await published('enabled on; hls_storage ram; hls_window 30;')
    leave()
    vi.advanceTimersByTime(29_999)
    expect(hosts.workers).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(hosts.workers[1]!.take()).toEqual([dispose])
  })

  test('counts anew when the stream is published again', async () => {
    const { table, worker, hosts, publish, leave } = await published('enabled on; hls_dispose 5;')
    leave()
    vi.advanceTimersByTime(4000)
    await publish(2)
    vi.advanceTimersByTime(60_000)
    table.unpublish(worker.handle, 2, stream)
    vi.advanceTimersByTime(4999)
    expect(hosts.workers[0]!.take()).not.toContainEqual(dispose)
    vi.advanceTimersByTime(1)
    expect(hosts.workers[0]!.take()).toContainEqual(dispose)
  })

  test.each(['enabled on; hls_dispose 0;', 'enabled off; hls_dispose 5;'])(
    'with %s nothing is deleted',
    async (hls) => {
      const { hosts, leave } = await published(hls)
      leave()
      vi.advanceTimersByTime(86_400_000)
      expect(hosts.workers.flatMap((host) => host.take())).toEqual([{ t: 'close', source: 1 }])
    },
  )

  test('ends with the server', async () => {
    const { table, leave } = await published('enabled on; hls_dispose 60;')
    leave()
    table.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a back-source that cannot take a stream as it should', () => {
  test('has the publisher closed, and the stream waits for another', async () => {
    const { table, hosts, worker, publish } = await published('enabled on; hls_on_error disconnect;')
    table.disconnect(hosts.members[0]!, 1, 'HLS_WRITE', 'no space')
    expect(worker.take()).toEqual([
      { t: 'publish-revoked', publishId: 1, code: 'HLS_WRITE', message: 'no space' },
    ])
    expect(table.size).toBe(1)
    await publish(2)
    expect(worker.take()).toMatchObject([{ t: 'publish-answer', publishId: 2, ok: true, source: 1 }])
  })

  test('says it of its own streams, and while they are published', async () => {
    const { table, hosts, worker, leave } = await published('enabled on;')
    table.disconnect({ worker: worker.handle, streams: 1 }, 1, 'HLS_WRITE', 'no space')
    table.disconnect(hosts.members[0]!, 2, 'HLS_WRITE', 'no space')
    leave()
    table.disconnect(hosts.members[0]!, 1, 'HLS_WRITE', 'no space')
    expect(worker.take()).toEqual([])
  })
})
