import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FromMaster, PublishId } from '../../src/ipc/contract.ts'
import { MemoryRegistry } from '../../src/master/registry.ts'
import { SourceTable } from '../../src/master/source-table.ts'
import { EdgeUpstreams } from '../../src/master/upstreams.ts'
import { configOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { asked, FakeHosts, FakeWorker } from './fakes.ts'

const stream = '__defaultVhost__/live/x'
const edge = 'mode remote; origin a b:1936 http://c:8080;'
const origins = ['rtmp://a:1935', 'rtmp://b:1936']

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** An edge's table with fake processes: a worker with an encoder, one with players, a back-source for each stream. */
function setUp({ cluster = edge } = {}) {
  const hosts = new FakeHosts()
  const { logger, lines } = recordingLogger()
  let config = configOf(`vhost __defaultVhost__ { cluster { ${cluster} } }`)
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
  return { table, hosts, lines, reload, fail, encoders: new FakeWorker('s1'), players: new FakeWorker('s2') }
}

function publish(publishId: PublishId, more = {}) {
  const about = { ip: '10.0.0.1', connectionId: `c${publishId}`, param: '?t' }
  return { t: 'publish', publishId, stream, ...about, ...more } as const
}

/** A stream whose encoder is granted: an origin has taken it. */
async function published() {
  const all = setUp()
  await all.table.publish(all.encoders.handle, publish(1))
  all.table.opened(all.hosts.members[0]!, 1)
  for (const worker of [all.encoders, all.hosts.workers[0]!]) worker.take()
  return all
}

function pushOf(messages: readonly FromMaster[]): unknown {
  return messages.map((message) => (message.t === 'open' || message.t === 'push' ? message.push : message.t))
}

describe('on an edge, a publish', () => {
  test('is passed on to the origins that speak RTMP, with its query and its way', async () => {
    const { table, hosts, encoders } = setUp()
    await table.publish(encoders.handle, publish(1, { route: ['hop'] }))
    expect(encoders.take()).toMatchObject([{ t: 'publish-answer', ok: true }])
    expect(hosts.workers[0]!.take()).toMatchObject([
      { t: 'open', push: origins, pull: null, publisher: { param: '?t', route: ['hop'], granted: false } },
    ])
  })

  test('that the origin refuses is taken back at once, with the reason, and leaves no source', async () => {
    const { table, hosts, encoders } = setUp()
    await table.publish(encoders.handle, publish(1))
    encoders.take()
    table.disconnect(hosts.members[0]!, 1, 'PUSH_REFUSED', 'busy')
    expect(encoders.take()).toStrictEqual([
      { t: 'publish-revoked', publishId: 1, code: 'PUSH_REFUSED', message: 'busy' },
    ])
    expect(pushOf(hosts.workers[0]!.take())).toEqual([origins, 'close'])
    expect(table.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that the origin refuses leaves what players have from it', async () => {
    const { table, hosts, encoders, players } = setUp()
    table.watch(players.handle, stream)
    await asked()
    table.opened(hosts.members[0]!, 1)
    players.take()
    await table.publish(encoders.handle, publish(1))
    table.disconnect(hosts.members[0]!, 1, 'PUSH_REFUSED', 'busy')
    await asked()
    expect(hosts.workers[0]!.take().at(-1)).toMatchObject({
      t: 'open',
      publisher: null,
      pull: expect.any(Array),
    })
    expect(players.take()).toStrictEqual([])
  })

  test('without an origin that takes streams is refused', async () => {
    const { table, encoders, hosts } = setUp({ cluster: 'mode remote; origin http://c:8080;' })
    await table.publish(encoders.handle, publish(1))
    expect(encoders.take()).toMatchObject([{ t: 'publish-answer', ok: false, code: 'PUSH_LOST' }])
    expect(hosts.workers).toEqual([])
  })

  test('that has its verdict keeps it when its back-source dies', async () => {
    const { table, hosts } = await published()
    table.onBackSourceLost(hosts.members[0]!, 0)
    expect(hosts.workers[1]!.take()).toMatchObject([
      { t: 'open', publisher: { granted: true }, push: origins },
    ])
  })
})

describe('a reload', () => {
  test.each<[string, string, readonly string[] | null]>([
    ['takes it from an origin', 'mode remote; origin b:1936;', ['rtmp://b:1936']],
    ['adds one', 'mode remote; origin a b:1936 d;', [...origins, 'rtmp://d:1935']],
    ['makes an origin of the edge', 'mode local;', null],
  ])('%s while it is published', async (_, cluster, push) => {
    const { table, hosts, encoders, reload } = await published()
    await reload(cluster)
    expect(hosts.workers[0]!.take()).toStrictEqual([{ t: 'push', source: 1, push }])
    expect(encoders.take()).toStrictEqual([])
    expect(table.size).toBe(1)
  })

  test('that changes something else, or their order, changes nothing', async () => {
    const { hosts, reload } = await published()
    await reload('mode remote; origin b:1936 a; push_timeout 5;')
    expect(hosts.workers[0]!.take()).toStrictEqual([])
  })

  test('makes an edge of an origin while streams are published', async () => {
    const { table, hosts, encoders, reload } = setUp({ cluster: 'mode local;' })
    await table.publish(encoders.handle, publish(1))
    table.opened(hosts.members[0]!, 1)
    expect(pushOf(hosts.workers[0]!.take())).toEqual([null])
    await reload(edge)
    expect(pushOf(hosts.workers[0]!.take())).toEqual([origins])
  })

  test('that leaves no origin closes who publishes', async () => {
    const { encoders, reload } = await published()
    await reload('mode remote; origin http://c:8080;')
    expect(encoders.take()).toMatchObject([{ t: 'publish-revoked', code: 'PUSH_LOST' }])
  })

  test('whose upstreams cannot be told changes nothing, and says so', async () => {
    const { hosts, reload, fail, lines } = await published()
    fail(new Error('the registry is down'))
    await reload('mode remote; origin b:1936;')
    expect(hosts.workers[0]!.take()).toStrictEqual([])
    expect(lines.at(-1)).toMatchObject({ msg: expect.stringContaining('the registry is down') })
  })
})
