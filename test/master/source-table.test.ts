import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { StreamOwner } from '../../src/cluster/owner.ts'
import type { FromMaster, PublishId, ToMaster } from '../../src/ipc/contract.ts'
import { streamTag } from '../../src/live/stream-key.ts'
import { MemoryRegistry, type StreamRegistry } from '../../src/master/registry.ts'
import { sentBefore, streamsByVhost } from '../../src/master/source-facts.ts'
import { SourceTable } from '../../src/master/source-table.ts'
import { configOf } from '../support/config.ts'
import { silentLogger } from '../support/logger.ts'
import { asked, FakeHosts, FakeWorker, noUpstreams } from './fakes.ts'

const stream = '__defaultVhost__/live/x'
const lingerMs = 10_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A table with fake processes: two stream workers, and a back-source for each stream. */
function setUp({
  vhost = '',
  globals = '',
  registry = new MemoryRegistry() as StreamRegistry,
  upstreams = noUpstreams,
} = {}) {
  const hosts = new FakeHosts()
  const config = configOf(`${globals} vhost __defaultVhost__ { ${vhost} }`)
  const table = new SourceTable(config, hosts, registry, upstreams, silentLogger)
  return { table, hosts, one: new FakeWorker('s1'), two: new FakeWorker('s2') }
}

type SetUp = ReturnType<typeof setUp>

function publishMessage(publishId: PublishId, changed: Partial<PublishMessage> = {}): PublishMessage {
  const about = { ip: '10.0.0.1', connectionId: `c${publishId}`, param: '?a' }
  return { t: 'publish', publishId, stream, ...about, ...changed }
}

type PublishMessage = Extract<ToMaster, { t: 'publish' }>

/** A stream that publisher 1 of worker one publishes, opened by its back-source. */
async function published(options?: Parameters<typeof setUp>[0]): Promise<SetUp> {
  const all = setUp(options)
  await all.table.publish(all.one.handle, publishMessage(1))
  all.table.opened(all.hosts.members[0]!, 1)
  all.one.take()
  all.hosts.workers[0]!.take()
  return all
}

function refusal(publishId: PublishId, code: string, message: unknown = expect.any(String)): FromMaster {
  return { t: 'publish-answer', publishId, ok: false, code, message } as FromMaster
}

function openMessage(worker: FakeWorker, publishId: PublishId, source = 1, ip = '10.0.0.1'): FromMaster {
  const from = { ip, param: '?a', route: [], granted: expect.any(Boolean) }
  const publisher = { path: worker.socketPath, publishId, connectionId: `c${publishId}`, ...from }
  return { t: 'open', stream, source, publisher, pull: null, push: null }
}

function upMessage(host: FakeWorker, sourceId = 'c1', source = 1): FromMaster {
  return { t: 'source-up', stream, source, path: host.socketPath, sourceId }
}

const down: FromMaster = { t: 'source-down', stream, source: 1 }

describe('a publish', () => {
  test('of a free stream is granted, and its back-source told where to pull', async () => {
    const { table, hosts, one } = setUp()
    await table.publish(one.handle, publishMessage(1))
    expect(one.take()).toStrictEqual([{ t: 'publish-answer', publishId: 1, ok: true, source: 1 }])
    expect(hosts.workers[0]!.take()).toStrictEqual([openMessage(one, 1)])
    expect(table.size).toBe(1)
  })

  test('that only asks whether it would be granted takes nothing', async () => {
    const { table, hosts, one } = setUp()
    await table.publish(one.handle, publishMessage(1, { probe: true }))
    expect(one.take()).toStrictEqual([{ t: 'publish-answer', publishId: 1, ok: true, source: 0 }])
    expect(table.size).toBe(0)
    expect(hosts.workers).toStrictEqual([])
  })

  test('that only asks is refused as a real one, and replaces nobody', async () => {
    const { table, one, two } = await published()
    await table.publish(two.handle, publishMessage(2, { probe: true }))
    table.checked(one.handle, 1, true)
    expect(two.take()).toStrictEqual([refusal(2, 'STREAM_BUSY')])
    const other = await published({ vhost: 'publish { policy replace; }' })
    await other.table.publish(other.two.handle, publishMessage(2, { probe: true }))
    expect(other.two.take()).toMatchObject([{ ok: true, source: 0 }])
    expect(other.one.take()).toStrictEqual([])
  })

  test('of different streams has sources of different numbers', async () => {
    const { table, hosts, one } = setUp()
    await table.publish(one.handle, publishMessage(1))
    await table.publish(one.handle, publishMessage(2, { stream: '__defaultVhost__/live/y' }))
    expect(one.take()).toMatchObject([{ source: 1 }, { source: 2 }])
    expect(hosts.workers.length).toBe(2)
  })

  test('for a vhost that is not there is refused', async () => {
    const { table, one } = setUp({ vhost: 'enabled off;' })
    await table.publish(one.handle, publishMessage(1))
    expect(one.take()).toStrictEqual([refusal(1, 'VHOST_UNKNOWN')])
    expect(table.size).toBe(0)
  })

  test('of one stream too many is refused; of one that is there is not', async () => {
    const { table, one } = setUp({ globals: 'max_sources 1;' })
    await table.publish(one.handle, publishMessage(1))
    await table.publish(one.handle, publishMessage(2, { stream: '__defaultVhost__/live/y' }))
    table.unpublish(one.handle, 1, stream)
    await table.publish(one.handle, publishMessage(3))
    expect(one.take()).toMatchObject([{ ok: true }, refusal(2, 'SOURCE_LIMIT'), { publishId: 3, ok: true }])
  })

  test('of a worker that died meanwhile is nobody’s', async () => {
    const { table, one } = setUp()
    const publishing = table.publish(one.handle, publishMessage(1))
    one.exited = true
    table.onWorkerLost(one.handle)
    await publishing
    expect(one.take()).toStrictEqual([])
    expect(table.size).toBe(0)
  })

  test('that was given up before it was decided does not hold the stream', async () => {
    const { table, one, two } = setUp()
    const publishing = table.publish(one.handle, publishMessage(1))
    table.unpublish(one.handle, 1, stream)
    await publishing
    expect(one.take()).toStrictEqual([])
    expect(table.size).toBe(0)
    await table.publish(two.handle, publishMessage(2))
    expect(two.take()).toMatchObject([{ ok: true }])
  })

  test('of the same number at another worker is another publish', async () => {
    const { table, one, two } = setUp()
    const publishing = table.publish(one.handle, publishMessage(1))
    table.unpublish(two.handle, 1, stream)
    await publishing
    expect(one.take()).toMatchObject([{ ok: true }])
  })
})

describe('a second publisher', () => {
  const stranger = { ip: '10.0.0.2' }

  test.each<[policy: string, second: Partial<PublishMessage>, replaces: boolean]>([
    ['reject', {}, false],
    ['reject', stranger, false],
    ['replace', {}, true],
    ['replace', stranger, true],
    ['resume', {}, true],
    ['resume', stranger, false],
  ])('with policy %s, from %o: takes over %s', async (policy, second, replaces) => {
    const { table, hosts, one, two } = await published({ vhost: `publish { policy ${policy}; }` })
    await table.publish(two.handle, publishMessage(2, second))
    if (replaces) {
      expect(one.take()).toMatchObject([{ t: 'publish-revoked', publishId: 1, code: 'STREAM_REPLACED' }])
      expect(two.take()).toStrictEqual([{ t: 'publish-answer', publishId: 2, ok: true, source: 1 }])
      expect(hosts.workers[0]!.take()).toStrictEqual([openMessage(two, 2, 1, second.ip)])
    } else {
      const [asked] = one.take() as Extract<FromMaster, { t: 'check-publish' }>[]
      table.checked(one.handle, asked!.request, true)
      expect(one.take()).toStrictEqual([])
      expect(two.take()).toStrictEqual([refusal(2, 'STREAM_BUSY', expect.stringContaining('connection c1'))])
      expect(hosts.workers[0]!.take()).toStrictEqual([])
    }
  })

  test('at the same worker: the first hears of it before the second', async () => {
    const { table, one } = await published({ vhost: 'publish { policy replace; }' })
    await table.publish(one.handle, publishMessage(2))
    expect(one.take()).toMatchObject([{ t: 'publish-revoked' }, { t: 'publish-answer', publishId: 2 }])
  })

  test('keeps the stream when the one it replaced says good-bye', async () => {
    const { table, one, two } = await published({ vhost: 'publish { policy replace; }' })
    await table.publish(two.handle, publishMessage(2))
    table.unpublish(one.handle, 1, stream)
    table.unpublish(two.handle, 1, stream)
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(1)
  })
})

describe('a second publisher while the policy is reject', () => {
  function question(worker: FakeWorker): { request: number; publishId: PublishId } {
    const [message] = worker.take()
    expect(message).toStrictEqual({
      t: 'check-publish',
      request: expect.any(Number),
      publishId: expect.any(Number),
    })
    return message as Extract<FromMaster, { t: 'check-publish' }>
  }

  /** A stream that publisher 1 of worker one publishes, and that publisher 2 of worker two wants. */
  async function contested(options?: Parameters<typeof setUp>[0]) {
    const all = await published(options)
    await all.table.publish(all.two.handle, publishMessage(2))
    return { ...all, request: question(all.one).request }
  }

  const granted = (publishId: PublishId) => ({ t: 'publish-answer', publishId, ok: true, source: 1 })

  test('waits until the worker of the first has said whether that one is still there', async () => {
    const { table, hosts, one, two } = await published()
    await table.publish(two.handle, publishMessage(2))
    expect(question(one).publishId).toBe(1)
    expect(two.take()).toStrictEqual([])
    expect(hosts.workers[0]!.take()).toStrictEqual([])
  })

  test('is refused when it is', async () => {
    const { table, hosts, one, two, request } = await contested()
    table.checked(one.handle, request, true)
    expect(two.take()).toStrictEqual([refusal(2, 'STREAM_BUSY', expect.stringContaining('connection c1'))])
    expect(one.take()).toStrictEqual([])
    expect(hosts.workers[0]!.take()).toStrictEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('has the stream when it is not', async () => {
    const { table, hosts, one, two, request } = await contested()
    table.checked(one.handle, request, false)
    expect(two.take()).toStrictEqual([granted(2)])
    expect(hosts.workers[0]!.take()).toStrictEqual([openMessage(two, 2)])
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('has the stream when the first leaves meanwhile', async () => {
    const { table, one, two, request } = await contested()
    table.unpublish(one.handle, 1, stream)
    expect(two.take()).toStrictEqual([granted(2)])
    table.checked(one.handle, request, true)
    expect(two.take()).toStrictEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('has the stream when the worker of the first dies meanwhile', async () => {
    const { table, one, two } = await contested()
    one.exited = true
    table.onWorkerLost(one.handle)
    expect(two.take()).toStrictEqual([granted(2)])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is refused when no answer comes in time', async () => {
    const { two } = await contested()
    vi.advanceTimersByTime(499)
    expect(two.take()).toStrictEqual([])
    vi.advanceTimersByTime(1)
    expect(two.take()).toStrictEqual([refusal(2, 'STREAM_BUSY')])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('has the stream when no answer can come: the control channel is closed', async () => {
    const { one, two } = await contested()
    one.reachable = false
    vi.advanceTimersByTime(500)
    expect(two.take()).toStrictEqual([granted(2)])
  })

  test('has the stream at once when the control channel is closed already', async () => {
    const { table, one, two } = await published()
    one.reachable = false
    await table.publish(two.handle, publishMessage(2))
    expect(one.take()).toStrictEqual([])
    expect(two.take()).toStrictEqual([granted(2)])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('hears nothing from an answer that was for another', async () => {
    const { table, one, two, request } = await contested()
    vi.advanceTimersByTime(500)
    two.take()
    await table.publish(two.handle, publishMessage(3))
    const later = question(one)
    table.checked(one.handle, request, false)
    expect(two.take()).toStrictEqual([])
    table.checked(one.handle, later.request, true)
    expect(two.take()).toStrictEqual([refusal(3, 'STREAM_BUSY')])
  })

  test('is one of several: the worker is asked once, the first who came is granted', async () => {
    const { table, hosts, one, two, request } = await contested()
    const three = new FakeWorker('s3')
    await table.publish(three.handle, publishMessage(3))
    await table.publish(one.handle, publishMessage(4))
    expect([...one.take(), ...two.take(), ...three.take()]).toStrictEqual([])
    table.checked(one.handle, request, false)
    expect(two.take()).toStrictEqual([granted(2)])
    expect(three.take()).toStrictEqual([refusal(3, 'STREAM_BUSY', expect.stringContaining('connection c2'))])
    expect(one.take()).toStrictEqual([refusal(4, 'STREAM_BUSY', expect.stringContaining('connection c2'))])
    expect(hosts.workers[0]!.take()).toStrictEqual([openMessage(two, 2)])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is one of several: all are refused when the first is still there', async () => {
    const { table, one, two, request } = await contested()
    await table.publish(two.handle, publishMessage(3))
    table.checked(one.handle, request, true)
    expect(two.take()).toStrictEqual([refusal(2, 'STREAM_BUSY'), refusal(3, 'STREAM_BUSY')])
  })

  test('that gives up meanwhile leaves the stream to the next', async () => {
    const { table, one, two, request } = await contested()
    const three = new FakeWorker('s3')
    await table.publish(three.handle, publishMessage(3))
    table.unpublish(two.handle, 2, stream)
    table.checked(one.handle, request, false)
    expect(two.take()).toStrictEqual([])
    expect(three.take()).toStrictEqual([granted(3)])
  })

  test('whose worker dies meanwhile leaves the stream to nobody', async () => {
    const { table, one, two, request } = await contested()
    two.exited = true
    table.onWorkerLost(two.handle)
    table.checked(one.handle, request, false)
    expect(two.take()).toStrictEqual([])
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is refused when the vhost is taken away meanwhile', async () => {
    const { table, two } = await contested()
    table.config = configOf('vhost other.example { }')
    expect(two.take()).toStrictEqual([refusal(2, 'VHOST_UNKNOWN')])
    expect(table.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('has the stream when its policy becomes replace meanwhile', async () => {
    const { table, one, two, request } = await contested()
    table.config = configOf('vhost __defaultVhost__ { publish { policy replace; } }')
    table.checked(one.handle, request, true)
    expect(one.take()).toMatchObject([{ t: 'publish-revoked', publishId: 1 }])
    expect(two.take()).toStrictEqual([granted(2)])
  })

  test('is refused when another that may replace the first takes the stream meanwhile', async () => {
    const all = await published({ vhost: 'publish { policy resume; }' })
    const { table, one, two } = all
    await table.publish(two.handle, publishMessage(2, { ip: '10.0.0.2' }))
    question(one)
    const three = new FakeWorker('s3')
    await table.publish(three.handle, publishMessage(3))
    expect(three.take()).toStrictEqual([granted(3)])
    expect(two.take()).toStrictEqual([refusal(2, 'STREAM_BUSY', expect.stringContaining('connection c3'))])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is decided no more once the server stops', async () => {
    const { table } = await contested()
    table.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a stream whose publisher left', () => {
  test('is closed when the linger time is over', async () => {
    const { table, hosts, one, two } = await published()
    table.watch(two.handle, stream)
    two.take()
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(lingerMs - 1)
    expect(table.size).toBe(1)
    expect(two.take()).toStrictEqual([])
    vi.advanceTimersByTime(1)
    expect(table.size).toBe(0)
    expect(two.take()).toStrictEqual([down])
    expect(hosts.workers[0]!.take()).toStrictEqual([{ t: 'close', source: 1 }])
    expect(hosts.released).toStrictEqual([hosts.members[0]])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('goes on in the same back-source when a publisher comes in time', async () => {
    const { table, hosts, one, two } = await published()
    table.watch(two.handle, stream)
    two.take()
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(lingerMs - 1)
    await table.publish(two.handle, publishMessage(2))
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(1)
    expect(hosts.workers.length).toBe(1)
    expect(hosts.workers[0]!.take()).toStrictEqual([openMessage(two, 2)])
    table.opened(hosts.members[0]!, 1)
    expect(two.take()).toStrictEqual([{ t: 'publish-answer', publishId: 2, ok: true, source: 1 }])
  })

  test('leaves when its worker dies, as well', async () => {
    const { table, one } = await published()
    table.onWorkerLost(one.handle)
    expect(table.size).toBe(1)
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(0)
  })

  test('lingers anew each time', async () => {
    const { table, one } = await published()
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(lingerMs - 1)
    await table.publish(one.handle, publishMessage(2))
    table.unpublish(one.handle, 2, stream)
    vi.advanceTimersByTime(lingerMs - 1)
    expect(table.size).toBe(1)
    vi.advanceTimersByTime(1)
    expect(table.size).toBe(0)
  })

  test('is not closed any more once the server stops', async () => {
    const { table, one, hosts } = await published()
    table.unpublish(one.handle, 1, stream)
    table.close()
    expect(vi.getTimerCount()).toBe(0)
    expect(hosts.workers[0]!.take()).toStrictEqual([])
  })
})

describe('a stream that is taken away through the API', () => {
  test('is no longer published; its encoder may come again', async () => {
    const { table, one, hosts } = await published()
    expect(table.unpublishByTag(streamTag('__defaultVhost__/live/none'))).toBe(false)
    expect(table.unpublishByTag(streamTag(stream))).toBe(true)
    expect(one.take()).toMatchObject([{ t: 'publish-revoked', publishId: 1, code: 'CLIENT_KICKED' }])
    expect(table.unpublishByTag(streamTag(stream))).toBe(false)
    await table.publish(one.handle, publishMessage(2))
    expect(one.take()).toMatchObject([{ t: 'publish-answer', publishId: 2, ok: true, source: 1 }])
    expect(hosts.released).toEqual([])
  })

  test('is closed when nobody publishes it for the linger time', async () => {
    const { table, hosts } = await published()
    table.unpublishByTag(streamTag(stream))
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(0)
    expect(hosts.released.length).toBe(1)
  })
})

describe('a watcher', () => {
  test('of a stream that is there is told at once where to pull', async () => {
    const { table, hosts, two } = await published()
    table.watch(two.handle, stream)
    expect(two.take()).toStrictEqual([upMessage(hosts.workers[0]!)])
  })

  test('of a stream that is not there is told when its back-source has it, not before', async () => {
    const { table, hosts, one, two } = setUp()
    table.watch(two.handle, stream)
    await asked()
    expect(two.take()).toStrictEqual([{ t: 'source-absent', stream }])
    await table.publish(one.handle, publishMessage(1))
    table.watch(two.handle, stream)
    expect(two.take()).toStrictEqual([])
    table.opened(hosts.members[0]!, 1)
    table.opened(hosts.members[0]!, 1)
    expect(two.take()).toStrictEqual([upMessage(hosts.workers[0]!)])
    expect(hosts.workers.length).toBe(1)
  })

  test('of another stream is told that nobody publishes it', async () => {
    const { table, two } = await published()
    const other = '__defaultVhost__/live/y'
    table.watch(two.handle, other)
    await asked()
    expect(two.take()).toStrictEqual([{ t: 'source-absent', stream: other }])
  })

  test('that lets a stream go leaves what it has sent, as long as the stream lives', async () => {
    const { table, one, two } = await published()
    table.unwatch(one.handle, stream, 100)
    table.unwatch(two.handle, stream, 23)
    table.unwatch(two.handle, '__defaultVhost__/live/none', 5)
    const asked = [stream, '__defaultVhost__/live/none']
    expect(sentBefore(table.sources, asked)).toMatchObject([{ stream, publishers: 0, sendBytes: 123 }])
    expect(streamsByVhost(table.sources)).toMatchObject([{ vhost: '__defaultVhost__', streams: 1 }])
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(lingerMs)
    expect(sentBefore(table.sources, asked)).toStrictEqual([])
    expect(streamsByVhost(table.sources)).toStrictEqual([])
  })

  test('that stops watching is told nothing more', async () => {
    const { table, hosts, two } = await published()
    table.watch(two.handle, stream)
    two.take()
    table.unwatch(two.handle, stream, 0)
    table.unwatch(two.handle, stream, 0)
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(two.take()).toStrictEqual([])
  })

  test('that died is told nothing more', async () => {
    const { table, hosts, two } = await published()
    table.watch(two.handle, stream)
    two.take()
    table.onWorkerLost(two.handle)
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(two.take()).toStrictEqual([])
  })

  test('may ask again: its link broke', async () => {
    const { table, hosts, two } = await published()
    table.watch(two.handle, stream)
    table.watch(two.handle, stream)
    const up = upMessage(hosts.workers[0]!)
    expect(two.take()).toStrictEqual([up, up])
  })
})

describe('a back-source that is lost', () => {
  test('leaves what has come in to its successor', async () => {
    const { table, hosts } = await published()
    const received = { recvBytes: 300, frames: 30 }
    table.sources.get(stream)!.received = received
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(hosts.workers[1]!.take()).toMatchObject([{ t: 'open', received }])
  })

  test('is replaced by another, with the publisher and the watchers', async () => {
    const { table, hosts, two } = await published()
    table.watch(two.handle, stream)
    two.take()
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(two.take()).toStrictEqual([down])
    expect(hosts.workers[1]!.take()).toMatchObject([{ t: 'open', source: 1, publisher: { publishId: 1 } }])
    table.opened(hosts.members[0]!, 1)
    expect(two.take()).toStrictEqual([])
    table.opened(hosts.members[1]!, 1)
    expect(two.take()).toStrictEqual([upMessage(hosts.workers[1]!)])
    expect(hosts.released).toStrictEqual([])
  })

  test('takes streams without a publisher with it; who plays them goes on waiting', async () => {
    const { table, hosts, one, two } = await published()
    table.watch(two.handle, stream)
    table.unpublish(one.handle, 1, stream)
    two.take()
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(table.size).toBe(0)
    expect(two.take()).toStrictEqual([down])
    expect(hosts.workers.length).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
    await asked()
    expect(two.take()).toStrictEqual([{ t: 'source-absent', stream }])
    await table.publish(one.handle, publishMessage(2))
    table.opened(hosts.members[1]!, 2)
    expect(two.take()).toStrictEqual([upMessage(hosts.workers[1]!, 'c2', 2)])
  })

  test('concerns no other stream', async () => {
    const { table, hosts, one } = await published()
    const other = '__defaultVhost__/live/y'
    await table.publish(one.handle, publishMessage(2, { stream: other }))
    table.onBackSourceLost(hosts.members[1]!, 0)
    expect(hosts.workers[0]!.take()).toStrictEqual([])
    expect(hosts.workers[2]!.take()).toMatchObject([{ t: 'open', stream: other }])
  })

  test('is replaced only after the wait that a crash loop asks for', async () => {
    const { table, hosts } = await published()
    table.onBackSourceLost(hosts.members[0]!, 400)
    vi.advanceTimersByTime(399)
    expect(hosts.workers.length).toBe(1)
    vi.advanceTimersByTime(1)
    expect(hosts.workers[1]!.take()).toMatchObject([{ t: 'open', publisher: { publishId: 1 } }])
  })

  test('during that wait: another publisher is the one that moves', async () => {
    const { table, hosts, two } = await published({ vhost: 'publish { policy replace; }' })
    table.onBackSourceLost(hosts.members[0]!, 400)
    await table.publish(two.handle, publishMessage(2))
    vi.advanceTimersByTime(400)
    expect(hosts.workers[1]!.take()).toStrictEqual([openMessage(two, 2)])
  })

  test('during that wait: a publisher that leaves for good needs no process', async () => {
    const { table, hosts, one } = await published({ globals: 'source_linger 0;' })
    table.onBackSourceLost(hosts.members[0]!, 400)
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(1000)
    expect(table.size).toBe(0)
    expect(hosts.workers.length).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('during that wait: a publisher that leaves and returns moves when the wait is over', async () => {
    const { table, hosts, one, two } = await published()
    table.onBackSourceLost(hosts.members[0]!, 400)
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(100)
    await table.publish(two.handle, publishMessage(2))
    vi.advanceTimersByTime(300)
    expect(hosts.workers[1]!.take()).toStrictEqual([openMessage(two, 2)])
    vi.advanceTimersByTime(lingerMs)
    expect(table.size).toBe(1)
  })

  test('during that wait: a publisher that returns only later gets a fresh source', async () => {
    const { table, hosts, one, two } = await published()
    table.onBackSourceLost(hosts.members[0]!, 400)
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(400)
    expect(table.size).toBe(0)
    expect(hosts.workers.length).toBe(1)
    await table.publish(two.handle, publishMessage(2))
    expect(hosts.workers[1]!.take()).toStrictEqual([openMessage(two, 2, 2)])
  })

  test('during that wait: the server stops and starts no process any more', async () => {
    const { table, hosts } = await published()
    table.onBackSourceLost(hosts.members[0]!, 400)
    table.close()
    vi.advanceTimersByTime(1000)
    expect(hosts.workers.length).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('twice is replaced once, also after a wait', async () => {
    const { table, hosts } = await published()
    table.onBackSourceLost(hosts.members[0]!, 400)
    table.onBackSourceLost(hosts.members[0]!, 400)
    vi.advanceTimersByTime(400)
    expect(hosts.workers.length).toBe(2)
  })

  test('twice in a row is replaced by the newest only', async () => {
    const { table, hosts } = await published()
    table.onBackSourceLost(hosts.members[0]!, 0)
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(hosts.workers.length).toBe(2)
    table.onBackSourceLost(hosts.members[1]!, 0)
    expect(hosts.workers.length).toBe(3)
  })
})

describe('a back-source whose connection to the publisher broke', () => {
  test('attaches the publisher again', async () => {
    const { table, hosts, one } = await published()
    table.detached(hosts.members[0]!, 1)
    vi.runOnlyPendingTimers()
    expect(hosts.workers[0]!.take()).toStrictEqual([openMessage(one, 1)])
  })

  test('does not when the publisher left, or its worker died, meanwhile', async () => {
    const { table, hosts, one } = await published()
    table.detached(hosts.members[0]!, 1)
    table.onWorkerLost(one.handle)
    vi.advanceTimersByTime(1000)
    expect(hosts.workers[0]!.take()).toStrictEqual([])
  })
})

describe('a reload', () => {
  const without = 'vhost other.example { }'

  test('that takes the vhost away takes the stream from its publisher and closes it', async () => {
    const { table, hosts, one, two } = await published()
    table.watch(two.handle, stream)
    two.take()
    table.config = configOf(without)
    expect(one.take()).toMatchObject([{ t: 'publish-revoked', publishId: 1, code: 'VHOST_UNKNOWN' }])
    expect(two.take()).toStrictEqual([down])
    expect(hosts.workers[0]!.take()).toStrictEqual([{ t: 'close', source: 1 }])
    expect(hosts.released).toStrictEqual([hosts.members[0]])
    expect(table.size).toBe(0)
  })

  test('that takes it away closes a lingering stream too', async () => {
    const { table, one } = await published()
    table.unpublish(one.handle, 1, stream)
    table.config = configOf(without)
    expect(table.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that keeps it changes nothing for who publishes, and holds for who comes', async () => {
    const { table, one, two } = await published()
    table.config = configOf('vhost __defaultVhost__ { publish { policy replace; } }')
    expect(one.take()).toStrictEqual([])
    await table.publish(two.handle, publishMessage(2))
    expect(two.take()).toMatchObject([{ ok: true }])
  })
})

describe('the registry', () => {
  /** A registry whose answers are on their way until the test lets them arrive. */
  function manualRegistry() {
    const asked: {
      stream: string
      answer: (owner: StreamOwner | null) => void
      fail: (error: Error) => void
    }[] = []
    const owned = new Set<string>()
    const registry: StreamRegistry = {
      acquire: async (wanted) => {
        const { promise, resolve, reject } = Promise.withResolvers<StreamOwner | null>()
        asked.push({ stream: wanted, answer: resolve, fail: reject })
        owned.add(wanted)
        return promise
      },
      locate: async () => null,
      refusedFor: async () => null,
      release: (released) => {
        owned.delete(released)
      },
    }
    return { registry, asked, owned }
  }

  test('that names another node refuses', async () => {
    const { registry, asked } = manualRegistry()
    const { table, one } = setUp({ registry })
    const publishing = table.publish(one.handle, publishMessage(1))
    asked[0]!.answer({ node: 'origin-2', rtmp: 'rtmp://192.0.2.2:1935', http: '' })
    await publishing
    expect(one.take()).toStrictEqual([refusal(1, 'STREAM_ELSEWHERE', expect.stringContaining('origin-2'))])
    expect(table.size).toBe(0)
  })

  test('that names another node has the encoder sent there, with redirect on', async () => {
    const { registry, asked } = manualRegistry()
    const cluster = 'registry redis; node a; advertise rtmp://192.0.2.1:1935; redirect on;'
    const { table, one } = setUp({ registry, globals: `cluster { ${cluster} }` })
    const publishing = table.publish(one.handle, publishMessage(1))
    asked[0]!.answer({ node: 'origin-2', rtmp: 'rtmp://192.0.2.2:1935', http: '' })
    await publishing
    expect(one.take()).toMatchObject([
      { ok: false, code: 'STREAM_ELSEWHERE', redirect: 'rtmp://192.0.2.2:1935' },
    ])
  })

  test('that fails refuses with its reason', async () => {
    const { registry, asked } = manualRegistry()
    const { table, one } = setUp({ registry })
    const publishing = table.publish(one.handle, publishMessage(1))
    asked[0]!.fail(new Error('no route'))
    await publishing
    expect(one.take()).toStrictEqual([refusal(1, 'SOURCE_UNAVAILABLE', expect.stringContaining('no route'))])
  })

  test('has the stream back when its publisher leaves', async () => {
    const { registry, asked, owned } = manualRegistry()
    const { table, one } = setUp({ registry })
    const publishing = table.publish(one.handle, publishMessage(1))
    asked[0]!.answer(null)
    await publishing
    expect([...owned]).toStrictEqual([stream])
    table.unpublish(one.handle, 1, stream)
    expect([...owned]).toStrictEqual([])
    expect(table.size).toBe(1)
  })

  test('takes a stream from its publisher when another node keeps it', async () => {
    const { registry, asked, owned } = manualRegistry()
    const { table, one } = setUp({ registry })
    const publishing = table.publish(one.handle, publishMessage(1))
    asked[0]!.answer(null)
    await publishing
    one.take()
    table.lose(stream, { node: 'origin-2', rtmp: 'rtmp://192.0.2.2:1935', http: '' })
    expect(one.take()).toStrictEqual([
      {
        t: 'publish-revoked',
        publishId: 1,
        code: 'STREAM_ELSEWHERE',
        message: expect.stringContaining('origin-2'),
      },
    ])
    expect([...owned]).toStrictEqual([])
    table.lose('__defaultVhost__/live/other', { node: 'origin-2', rtmp: 'rtmp://192.0.2.2:1935', http: '' })
  })

  test.each<[string, Parameters<typeof setUp>[0], (all: SetUp) => void]>([
    ['refused here', { vhost: 'enabled off;' }, () => {}],
    ['given up meanwhile', {}, ({ table, one }) => table.unpublish(one.handle, 1, stream)],
    [
      'lost with its worker',
      {},
      ({ table, one }) => {
        one.exited = true
        table.onWorkerLost(one.handle)
      },
    ],
  ])('has the stream back when the publish was %s', async (_, options, meanwhile) => {
    const { registry, asked, owned } = manualRegistry()
    const all = setUp({ ...options, registry })
    const publishing = all.table.publish(all.one.handle, publishMessage(1))
    meanwhile(all)
    asked[0]!.answer(null)
    await publishing
    expect([...owned]).toStrictEqual([])
    expect(all.table.size).toBe(0)
  })

  test('has the stream back when it cannot be told where the publish is to be passed on', async () => {
    const { registry, asked, owned } = manualRegistry()
    const upstreams = { ...noUpstreams, pushFor: () => Promise.reject(new Error('no answer')) }
    const { table, one } = setUp({ registry, upstreams })
    const publishing = table.publish(one.handle, publishMessage(1))
    asked[0]!.answer(null)
    await publishing
    expect(one.take()).toStrictEqual([refusal(1, 'SOURCE_UNAVAILABLE', 'no answer')])
    expect([...owned]).toStrictEqual([])
  })

  test('keeps the stream for a publish that waits for the word of another’s worker', async () => {
    const { registry, asked, owned } = manualRegistry()
    const { table, one, two } = setUp({ registry, globals: 'source_linger 0;' })
    const first = table.publish(one.handle, publishMessage(1))
    asked[0]!.answer(null)
    await first
    const second = table.publish(two.handle, publishMessage(2))
    asked[1]!.answer(null)
    await second
    table.unpublish(one.handle, 1, stream)
    vi.advanceTimersByTime(1000)
    expect(two.take()).toMatchObject([{ ok: true }])
    expect([...owned]).toStrictEqual([stream])
    table.unpublish(two.handle, 2, stream)
    vi.advanceTimersByTime(1000)
    expect([...owned]).toStrictEqual([])
  })

  test('keeps the stream for a publish that is still to be decided', async () => {
    const { registry, asked, owned } = manualRegistry()
    const { table, one, two } = setUp({ registry })
    const first = table.publish(one.handle, publishMessage(1))
    const second = table.publish(two.handle, publishMessage(2))
    table.unpublish(one.handle, 1, stream)
    asked[0]!.answer(null)
    await first
    asked[1]!.answer(null)
    await second
    expect(two.take()).toMatchObject([{ ok: true }])
    expect([...owned]).toStrictEqual([stream])
  })
})
