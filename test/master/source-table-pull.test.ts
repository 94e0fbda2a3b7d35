import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FromMaster, PublishId } from '../../src/ipc/contract.ts'
import { MemoryRegistry } from '../../src/master/registry.ts'
import { SourceTable } from '../../src/master/source-table.ts'
import { EdgeUpstreams } from '../../src/master/upstreams.ts'
import { configOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { asked, FakeHosts, FakeWorker } from './fakes.ts'

const stream = '__defaultVhost__/live/x'
const edge = 'mode remote; origin a b:1936;'
const origins = ['rtmp://a:1935', 'rtmp://b:1936']

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** An edge's table with fake processes: two workers with players, and a back-source for each stream. */
function setUp({ cluster = edge, globals = '' } = {}) {
  const hosts = new FakeHosts()
  const { logger, lines } = recordingLogger()
  let config = configOf(`${globals} vhost __defaultVhost__ { cluster { ${cluster} } }`)
  let failure: Error | null = null
  const upstreams = new EdgeUpstreams(() => config, {
    order: (addresses) => {
      if (failure !== null) throw failure
      return addresses
    },
  })
  const table = new SourceTable(config, hosts, new MemoryRegistry(), upstreams, logger)
  const reload = async (changed: string): Promise<void> => {
    config = configOf(`vhost __defaultVhost__ { cluster { ${changed} } }`)
    table.config = config
    await asked()
  }
  const fail = (error: Error | null): void => {
    failure = error
  }
  return { table, hosts, lines, reload, fail, one: new FakeWorker('s1'), two: new FakeWorker('s2') }
}

/** A stream that both workers want and that is pulled, with media. */
async function pulled(options?: Parameters<typeof setUp>[0]) {
  const all = setUp(options)
  all.table.watch(all.one.handle, stream)
  await asked()
  all.table.opened(all.hosts.members[0]!, 1)
  all.table.watch(all.two.handle, stream)
  for (const worker of [all.one, all.two, all.hosts.workers[0]!]) worker.take()
  return all
}

function publish(publishId: PublishId) {
  const about = { ip: '10.0.0.1', connectionId: `c${publishId}`, param: '' }
  return { t: 'publish', publishId, stream, ...about } as const
}

const openPull = (pull: readonly string[] = origins, source = 1): FromMaster => {
  return { t: 'open', stream, source, publisher: null, pull, push: null }
}
const absent: FromMaster = { t: 'source-absent', stream }
const down: FromMaster = { t: 'source-down', stream, source: 1 }
const close: FromMaster = { t: 'close', source: 1 }

describe('on an edge, a stream', () => {
  test('that two workers want is pulled once, and both are told when its media comes', async () => {
    const { table, hosts, one, two } = setUp()
    table.watch(one.handle, stream)
    table.watch(two.handle, stream)
    await asked()
    expect(hosts.workers.map((worker) => worker.take())).toStrictEqual([[openPull()]])
    expect([...one.take(), ...two.take()]).toStrictEqual([])
    table.opened(hosts.members[0]!, 1)
    for (const worker of [one, two]) expect(worker.take()).toMatchObject([{ t: 'source-up', source: 1 }])
  })

  test('that nobody wants any more is pulled for as long as pull_linger', async () => {
    const { table, hosts, one, two } = await pulled({ cluster: `${edge} pull_linger 2;` })
    table.unwatch(one.handle, stream, 0)
    vi.advanceTimersByTime(60_000)
    table.unwatch(two.handle, stream, 0)
    vi.advanceTimersByTime(1999)
    table.watch(one.handle, stream)
    expect(one.take()).toMatchObject([{ t: 'source-up' }])
    vi.advanceTimersByTime(60_000)
    expect(hosts.workers[0]!.take()).toStrictEqual([])
    table.onWorkerLost(one.handle)
    vi.advanceTimersByTime(2000)
    expect(hosts.workers[0]!.take()).toStrictEqual([close])
    expect(hosts.released).toStrictEqual(hosts.members)
    expect(table.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that nobody wants any more before its media comes is pulled no longer', async () => {
    const { table, hosts, one } = setUp()
    table.watch(one.handle, stream)
    await asked()
    table.unwatch(one.handle, stream, 0)
    vi.advanceTimersByTime(0)
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull(), close])
  })

  test('that nobody wants any more before its upstreams are known is not pulled', async () => {
    const { table, hosts, one } = setUp()
    table.watch(one.handle, stream)
    table.unwatch(one.handle, stream, 0)
    await asked()
    expect(hosts.workers).toStrictEqual([])
    expect(table.size).toBe(0)
  })

  test('that no origin has costs one attempt in absent_cache, however many want it', async () => {
    const { table, hosts, one, two } = setUp({ cluster: `${edge} absent_cache 3;` })
    table.watch(one.handle, stream)
    await asked()
    table.pullEnded(hosts.members[0]!, 1)
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull(), close])
    expect(hosts.released).toStrictEqual(hosts.members)
    expect(one.take()).toStrictEqual([absent])
    table.watch(two.handle, stream)
    await asked()
    expect(two.take()).toStrictEqual([absent])
    expect(hosts.workers.length).toBe(1)
    await vi.advanceTimersByTimeAsync(3000)
    expect(hosts.workers[1]!.take()).toStrictEqual([openPull(origins, 2)])
  })

  test('that no origin has is forgotten when nobody waits for it', async () => {
    const { table, hosts, one } = setUp()
    table.watch(one.handle, stream)
    await asked()
    table.pullEnded(hosts.members[0]!, 1)
    table.unwatch(one.handle, stream, 0)
    await vi.advanceTimersByTimeAsync(5000)
    expect(hosts.workers.length).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('whose upstreams cannot be told is looked for again later', async () => {
    const { table, hosts, one, fail, lines } = setUp()
    fail(new Error('no route'))
    table.watch(one.handle, stream)
    await asked()
    expect(one.take()).toStrictEqual([absent])
    expect(lines).toMatchObject([{ msg: 'pull: it cannot be told where a stream is: no route' }])
    fail(null)
    await vi.advanceTimersByTimeAsync(5000)
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull()])
  })

  test('beyond max_sources is not pulled', async () => {
    const { table, hosts, one, lines } = await pulled({ globals: 'max_sources 1;' })
    const other = '__defaultVhost__/live/y'
    table.watch(one.handle, other)
    await asked()
    expect(one.take()).toStrictEqual([{ t: 'source-absent', stream: other }])
    expect(hosts.workers.length).toBe(1)
    expect(lines.at(-1)).toMatchObject({ code: 'SOURCE_LIMIT', stream: 'live/y' })
  })

  test('whose back-source dies is pulled by another, and its players wait for that', async () => {
    const { table, hosts, one } = await pulled()
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(one.take()).toStrictEqual([down])
    expect(hosts.workers[1]!.take()).toStrictEqual([openPull()])
    table.opened(hosts.members[1]!, 1)
    expect(one.take()).toMatchObject([{ t: 'source-up', path: hosts.workers[1]!.socketPath }])
  })
})

describe('a publish of a stream that is pulled', () => {
  test('takes it over, and the pull begins anew when that publisher leaves and somebody still plays', async () => {
    const { table, hosts, one } = await pulled()
    await table.publish(one.handle, publish(1))
    expect(one.take()).toMatchObject([{ t: 'publish-answer', ok: true, source: 1 }])
    expect(hosts.workers[0]!.take()).toMatchObject([{ t: 'open', publisher: { publishId: 1 }, pull: null }])
    // The pull ends as the publisher comes, and may say so late.
    table.pullEnded(hosts.members[0]!, 1)
    expect(table.size).toBe(1)
    table.unpublish(one.handle, 1, stream)
    await asked()
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull()])
    vi.advanceTimersByTime(60_000)
    expect(hosts.workers[0]!.take()).toStrictEqual([])
  })

  test('that nobody plays any more lingers as on an origin', async () => {
    const { table, hosts, one, two } = await pulled()
    await table.publish(one.handle, publish(1))
    for (const worker of [one, two]) table.unwatch(worker.handle, stream, 0)
    table.unpublish(one.handle, 1, stream)
    await asked()
    expect(hosts.workers[0]!.take()).toMatchObject([{ t: 'open', pull: null }])
    vi.advanceTimersByTime(60_000)
    expect(hosts.workers[0]!.take()).toStrictEqual([close])
  })
})

describe('a stream that may have another owner', () => {
  /** What no virtual host is an edge for: where a stream is, is the test's. */
  function clusterTable() {
    const hosts = new FakeHosts()
    const { logger } = recordingLogger()
    let place: readonly string[] | null = null
    const upstreams = { pullFor: async () => place, pushFor: async () => null }
    const table = new SourceTable(configOf(), hosts, new MemoryRegistry(), upstreams, logger)
    const begins = async (at: readonly string[] | null, which: string | null = stream): Promise<void> => {
      place = at
      table.onOwnerChanged(which)
      await asked()
    }
    return { table, hosts, begins, one: new FakeWorker('s1') }
  }

  test.each([stream, null])('is pulled when somebody waits for it (%j)', async (which) => {
    const { table, hosts, begins, one } = clusterTable()
    table.watch(one.handle, stream)
    await asked()
    expect(one.take()).toStrictEqual([absent])
    await begins(['rtmp://a:1935'], which)
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull(['rtmp://a:1935'])])
  })

  test('is left alone when nobody does, or when it is published here', async () => {
    const { table, hosts, begins, one } = clusterTable()
    await begins(['rtmp://a:1935'])
    expect(hosts.workers).toStrictEqual([])
    table.watch(one.handle, stream)
    await table.publish(one.handle, publish(1))
    hosts.workers[0]!.take()
    await begins(['rtmp://b:1935'])
    expect(hosts.workers[0]!.take()).toStrictEqual([])
  })

  test('is pulled from there from now on, and goes on if it is nowhere for the moment', async () => {
    const { table, hosts, begins, one } = clusterTable()
    table.watch(one.handle, stream)
    await begins(['rtmp://a:1935'])
    table.opened(hosts.members[0]!, 1)
    for (const worker of [one, hosts.workers[0]!]) worker.take()
    await begins(null)
    expect(hosts.workers[0]!.take()).toStrictEqual([])
    await begins(['rtmp://b:1935'])
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull(['rtmp://b:1935'])])
    expect(one.take()).toStrictEqual([])
  })

  test('is looked for at once, though it was absent a moment ago', async () => {
    const { table, hosts, begins, one } = clusterTable()
    table.watch(one.handle, stream)
    await begins(['rtmp://a:1935'])
    table.pullEnded(hosts.members[0]!, 1)
    await begins(['rtmp://b:1935'])
    expect(hosts.workers[1]!.take()).toStrictEqual([openPull(['rtmp://b:1935'], 2)])
  })

  test('is pulled from the node that keeps it, when its publisher here has to go', async () => {
    const { table, hosts, begins, one } = clusterTable()
    table.watch(one.handle, stream)
    await table.publish(one.handle, publish(1))
    await begins(['rtmp://b:1935'])
    hosts.workers[0]!.take()
    table.lose(stream, { node: 'b', rtmp: 'rtmp://b:1935', http: '' })
    await asked()
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull(['rtmp://b:1935'])])
    expect(one.take()).toMatchObject([
      { t: 'source-absent' },
      { t: 'publish-answer' },
      { t: 'publish-revoked' },
    ])
  })
})

describe('a reload', () => {
  test('that names other origins moves what is pulled', async () => {
    const { hosts, one, reload } = await pulled()
    await reload('mode remote; origin c;')
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull(['rtmp://c:1935'])])
    expect(one.take()).toStrictEqual([])
  })

  test('that makes an origin of an edge ends what is pulled', async () => {
    const { table, hosts, one, reload } = await pulled()
    await reload('mode local;')
    expect(hosts.workers[0]!.take()).toStrictEqual([close])
    expect(one.take()).toStrictEqual([down, absent])
    expect(table.size).toBe(0)
  })

  test('that makes an edge of an origin pulls what players wait for', async () => {
    const { table, hosts, one, reload } = setUp({ cluster: 'mode local;' })
    table.watch(one.handle, stream)
    await asked()
    expect(one.take()).toStrictEqual([absent])
    await reload(edge)
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull()])
  })

  test('has what was absent looked for at once', async () => {
    const { table, hosts, one, reload } = setUp()
    table.watch(one.handle, stream)
    await asked()
    table.pullEnded(hosts.members[0]!, 1)
    await reload(edge)
    expect(hosts.workers[1]!.take()).toStrictEqual([openPull(origins, 2)])
  })
})

describe('a stream that other servers have from here', () => {
  test('is pulled with the word of who they are', async () => {
    const { table, hosts, one, two } = setUp()
    table.watch(one.handle, stream, ['hop1'])
    await asked()
    expect(hosts.workers[0]!.take()).toStrictEqual([{ ...openPull(), route: ['hop1'] }])
    table.watchers.addRoute(stream, ['hop2', 'hop1'])
    table.watch(two.handle, stream)
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(hosts.workers[1]!.take()).toStrictEqual([{ ...openPull(), route: ['hop1', 'hop2'] }])
  })

  test('is forgotten to be theirs with the last who wanted it', async () => {
    const { table, hosts, one } = setUp({ cluster: `${edge} pull_linger 0;` })
    table.watch(one.handle, stream, ['hop1'])
    table.unwatch(one.handle, stream, 0)
    table.watchers.addRoute(stream, ['hop2'])
    table.watch(one.handle, stream)
    await asked()
    expect(hosts.workers[0]!.take()).toStrictEqual([openPull()])
  })
})
