import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Verdict } from '../../src/access/access-check.ts'
import { AccessPipeline } from '../../src/access/access-pipeline.ts'
import { monotonicMs } from '../../src/base/clock.ts'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import type { Config } from '../../src/config/config.ts'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { MediaClient } from '../../src/ipc/media-client.ts'
import { PlayerHub } from '../../src/pull/player-hub.ts'
import type { PlayRequest } from '../../src/rtmp/server-requests.ts'
import { Connection, type ConnectionHost } from '../../src/stream/connection.ts'
import { PublisherHub } from '../../src/stream/publisher-hub.ts'
import { ReadClock } from '../../src/stream/read-clock.ts'
import { FakeCheck } from '../support/access.ts'
import { configOf } from '../support/config.ts'
import { patience } from '../support/hook-server.ts'
import { silentLogger } from '../support/logger.ts'
import { tempDir } from '../support/temp-dir.ts'

const no: Verdict = { ok: false, code: 'ACCESS_FAILED', message: 'not you' }

/** A connection in a worker without a process, whose hooks are a test's; and how its client fares. */
async function setUp(query = '') {
  const hooks = new FakeCheck('hooks')
  const sent: ToMaster[] = []
  const path = join(tempDir(), 's1.sock')
  const closed = vi.fn()
  let config = configOf()
  const host: ConnectionHost = {
    get config() {
      return config
    },
    serverId: 's1',
    access: new AccessPipeline(silentLogger, [], [hooks]),
    logger: silentLogger,
    readClock: new ReadClock(),
    players: new PlayerHub(config, silentLogger, () => {}),
    publishers: new PublisherHub(path, silentLogger, (message) => sent.push(message)),
    identity: () => ({}),
    onClosed: closed,
  }
  await host.publishers.listen()
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    host.publishers.close()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const connecting = RtmpClient.connect(`rtmp://127.0.0.1:${port}/live/x${query}`, {
    connectFields: { pageUrl: 'http://page.example/' },
  })
  // Whether it succeeds is for the tests to see.
  connecting.catch(() => {})
  const [socket] = await accepted
  const connection = new Connection('c1', socket, host)
  onTestFinished(() => connection.close(null))
  connection.onAdmission(null)
  const asked = (times: number): Promise<void> =>
    vi.waitFor(() => expect(hooks.asked).toHaveLength(times), patience)
  /** Answers what the hub asked of the master last. */
  const answer = (ok: boolean): void => {
    const { publishId } = sent.findLast((message) => message.t === 'publish')!
    const about = { t: 'publish-answer', publishId } as const
    if (ok) host.publishers.onMessage({ ...about, ok, source: 1 })
    else host.publishers.onMessage({ ...about, ok, code: 'STREAM_BUSY', message: 'taken' })
  }
  const reload = (next: Config): void => {
    config = next
    connection.reload(next)
  }
  const publishes = () => sent.flatMap((one) => (one.t === 'publish' ? [one.probe ?? false] : []))
  const { publishers } = host
  return { hooks, connection, connecting, asked, sent, answer, publishes, publishers, reload, closed, path }
}

describe('connect', () => {
  test('is answered after the verdict, with nothing read meanwhile', async () => {
    const { hooks, connection, connecting, asked } = await setUp('?token=1')
    hooks.waits = true
    await asked(1)
    expect(hooks.asked[0]).toMatchObject({
      ...{ action: 'connect', clientId: 'c1', ip: '127.0.0.1', vhost: '__defaultVhost__', app: 'live' },
      ...{ stream: '', pageUrl: 'http://page.example/', protocol: 'rtmp' },
      tcUrl: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1:\d+\/live$/),
    })
    await vi.waitFor(() => expect(connection.socket.isPaused()).toBe(true), patience)
    expect(connection.session.state).toBe('connect')
    hooks.answer(hooks.accepting({ action: 'connect' }))
    const client = await connecting
    client.close()
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['connect']), patience)
    expect(hooks.traffic[0]!.recvBytes).toBeGreaterThan(3000)
  })

  test('is refused', async () => {
    const { hooks, connecting, closed } = await setUp()
    hooks.verdict = no
    await expect(connecting).rejects.toMatchObject({ code: 'RTMP_REJECTED' })
    expect(closed).toHaveBeenCalledExactlyOnceWith(expect.anything(), true)
    expect(hooks.ended).toStrictEqual([])
  })

  test('of a peer that has gone: what the late verdict lets in ends at once', async () => {
    const { hooks, connection, asked, closed } = await setUp()
    hooks.waits = true
    await asked(1)
    connection.close(null)
    hooks.answer(hooks.accepting({ action: 'connect' }))
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['connect']), patience)
    expect(connection.session.state).toBe('closed')
    expect(closed).toHaveBeenCalledExactlyOnceWith(connection, false)
  })

  test('of a peer that has gone: a late refusal changes nothing', async () => {
    const { hooks, connection, asked } = await setUp()
    hooks.waits = true
    await asked(1)
    connection.close(null)
    hooks.answer(no)
    await Promise.resolve()
    expect(hooks.ended).toStrictEqual([])
  })

  test('without a verdict is over with its deadline', async () => {
    const { hooks, connection, asked, closed } = await setUp()
    hooks.waits = true
    await asked(1)
    connection.sweep(monotonicMs() + 9000)
    expect(closed).not.toHaveBeenCalled()
    connection.sweep(monotonicMs() + 11_000)
    expect(closed).toHaveBeenCalledOnce()
  })
})

describe('play', () => {
  test('is answered after the verdict, and told of at its end', async () => {
    const { hooks, connecting, asked } = await setUp('?token=1')
    const client = await connecting
    hooks.waits = true
    const playing = client.play()
    await asked(2)
    expect(hooks.asked[1]).toMatchObject({ action: 'play', stream: 'x', param: '?token=1' })
    hooks.answer(hooks.accepting({ action: 'play' }))
    await playing
    client.close()
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['play', 'connect']), patience)
  })

  test('is refused, and the connection stays', async () => {
    const { hooks, connection, connecting } = await setUp()
    const client = await connecting
    hooks.verdict = no
    await expect(client.play()).rejects.toMatchObject({ message: expect.stringContaining('not you') })
    expect(hooks.ended).toStrictEqual([])
    expect(connection.role).toBeNull()
  })

  test('of a vhost that is removed meanwhile is refused, and its end told', async () => {
    const { hooks, reload, connecting, asked } = await setUp()
    const client = await connecting
    hooks.waits = true
    const playing = client.play()
    playing.catch(() => {})
    await asked(2)
    reload(configOf('vhost other.example { }'))
    hooks.answer(hooks.accepting({ action: 'play' }))
    await expect(playing).rejects.toMatchObject({ message: expect.stringContaining('removed') })
    expect(hooks.ended).toStrictEqual(['play'])
  })
})

describe('a client whose stream another server has', () => {
  const elsewhere: Verdict = { ...no, redirect: 'rtmp://192.0.2.2:1935' }

  test('is sent there instead of being accepted as a player, with its query', async () => {
    const { hooks, connection, closed } = await setUp('?token=1')
    const redirects: string[] = []
    const connected = await vi.waitFor(() => connection.connectRequest ?? Promise.reject(), patience)
    expect(connected.address.app).toBe('live')
    vi.spyOn(connection.session, 'redirectPlay').mockImplementation((_, { url }) => redirects.push(url))
    hooks.verdict = elsewhere
    const { vhost } = connected.address
    connection.onPlay({ streamId: 1, vhost, app: 'live', stream: 'x', param: '?token=1' } as PlayRequest)
    expect(redirects).toStrictEqual(['rtmp://192.0.2.2:1935/live/x?token=1'])
    expect(closed).toHaveBeenCalledOnce()
  })
})

describe('publish', () => {
  test('is possible, then allowed, then granted; and told of at its end', async () => {
    const { hooks, connecting, asked, publishes, answer, path } = await setUp()
    const client = await connecting
    hooks.waits = true
    const publishing = client.publish()
    await vi.waitFor(() => expect(publishes()).toStrictEqual([true]), patience)
    expect(hooks.asked).toHaveLength(1)
    answer(true)
    await asked(2)
    expect(publishes()).toStrictEqual([true])
    hooks.answer(hooks.accepting({ action: 'publish' }))
    await vi.waitFor(() => expect(publishes()).toStrictEqual([true, false]), patience)
    answer(true)
    const backSource = new MediaClient(path, {
      onRestart: () => {},
      onPacket: () => {},
      onIdle: () => {},
      onGone: () => {},
      onClose: () => {},
    })
    onTestFinished(() => backSource.close())
    backSource.send({ t: 'attach', publishId: 2, source: 1 })
    await publishing
    client.close()
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['publish', 'connect']), patience)
  })

  test('of a stream that is taken is refused before hooks are asked', async () => {
    const { hooks, connecting, publishes, answer } = await setUp()
    const client = await connecting
    const publishing = client.publish()
    publishing.catch(() => {})
    await vi.waitFor(() => expect(publishes()).toStrictEqual([true]), patience)
    answer(false)
    await expect(publishing).rejects.toMatchObject({ message: expect.stringContaining('taken') })
    expect(hooks.asked).toHaveLength(1)
  })

  test('that is taken back before it is granted is refused, and the connection stays', async () => {
    const { hooks, connection, connecting, sent, publishers } = await setUp()
    hooks.isWanted = false
    const client = await connecting
    const publishing = client.publish()
    publishing.catch(() => {})
    await vi.waitFor(() => expect(sent.at(-1)).toMatchObject({ t: 'publish' }), patience)
    publishers.onMessage({ t: 'publish-answer', publishId: 1, ok: true, source: 1 })
    publishers.onMessage({ t: 'publish-revoked', publishId: 1, code: 'PUSH_REFUSED', message: 'busy there' })
    await expect(publishing).rejects.toMatchObject({
      code: 'RTMP_REJECTED',
      message: 'NetStream.Publish.BadName: busy there',
    })
    expect(connection.role).toBeNull()
    expect(connection.isClosed).toBe(false)
  })

  test('that hooks refuse takes no stream, and its end is not told', async () => {
    const { hooks, connecting, publishes, answer, sent } = await setUp()
    const client = await connecting
    hooks.verdict = no
    const publishing = client.publish()
    publishing.catch(() => {})
    await vi.waitFor(() => expect(publishes()).toStrictEqual([true]), patience)
    answer(true)
    await expect(publishing).rejects.toMatchObject({ message: expect.stringContaining('not you') })
    client.close()
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['connect']), patience)
    expect(publishes()).toStrictEqual([true])
    expect(sent.filter(({ t }) => t === 'unpublish')).toStrictEqual([])
  })

  test('that is allowed, and taken by somebody else at that moment, has its end told', async () => {
    const { hooks, connecting, publishes, answer } = await setUp()
    const client = await connecting
    const publishing = client.publish()
    publishing.catch(() => {})
    await vi.waitFor(() => expect(publishes()).toStrictEqual([true]), patience)
    answer(true)
    await vi.waitFor(() => expect(publishes()).toStrictEqual([true, false]), patience)
    answer(false)
    await expect(publishing).rejects.toMatchObject({ message: expect.stringContaining('taken') })
    expect(hooks.ended).toStrictEqual(['publish'])
  })
})
