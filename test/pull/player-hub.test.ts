import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { PlayerHub } from '../../src/pull/player-hub.ts'
import { Player } from '../../src/stream/player.ts'
import { rtmpFormat } from '../../src/stream/rtmp-muxer.ts'
import { fakeBackSource } from '../support/back-source.ts'
import { configOf, vhostConfigOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { interFrame, keyFrame, videoHeader } from '../support/packets.ts'
import { PlaySocket } from '../support/play-socket.ts'
import { tempDir } from '../support/temp-dir.ts'

const stream = '__defaultVhost__/live/x'
const format = rtmpFormat(128, 1)

afterEach(() => {
  vi.useRealTimers()
})

function setUp(section = '') {
  const sent: ToMaster[] = []
  const { logger, lines } = recordingLogger()
  const config = configOf(`vhost __defaultVhost__ { ${section} }`)
  const hub = new PlayerHub(config, logger, (message) => sent.push(message))
  onTestFinished(() => hub.close())
  const play = (name = stream, as = format) => {
    const socket = new PlaySocket()
    const player = new Player(
      () => hub.streamFor(name, vhostConfigOf(section)),
      as,
      socket,
      () => {},
    )
    player.start()
    return { player, socket }
  }
  return { hub, sent, lines, play }
}

/** Waits until a player got these, and nothing else. */
async function expectMarks(socket: PlaySocket, expected: string[]): Promise<void> {
  const got: string[] = []
  await vi.waitFor(() => {
    got.push(...socket.takeMarks())
    expect(got).toStrictEqual(expected)
  })
}

describe('a player', () => {
  test('of a stream is the reason to watch it, once for all players', () => {
    const { sent, play, hub } = setUp()
    play()
    play()
    expect(sent).toStrictEqual([{ t: 'watch', stream }])
    expect(hub.status()).toMatchObject([{ stream, players: 2, source: 0, sourceId: '' }])
  })

  test('gets the stream when the master says where it is', async () => {
    const { hub, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { socket } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    await expectMarks(socket, ['avc', 'one-key'])
    expect(hub.status()).toMatchObject([{ source: 1, sourceId: 'one', packetsIn: 2 }])
    expect(back.asked).toStrictEqual(['subscribe 1'])
  })

  test('is told of in the log when its stream comes and goes; streams that nobody plays are not', async () => {
    const { hub, lines, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { player } = play()
    play()
    hub.onMessage(back.up())
    hub.onMessage({ t: 'source-down', stream, source: 1 })
    expect(lines).toMatchObject([
      { msg: 'play: the source is there', stream: 'live/x', sid: 'one', players: 2 },
      { msg: 'play: the source is gone, players wait for another', stream: 'live/x', players: 2 },
    ])
    player.stop()
    hub.onMessage(back.up())
    expect(lines).toHaveLength(3)
    play('__defaultVhost__/live/y').player.stop()
    hub.onMessage({ ...back.up(2), stream: '__defaultVhost__/live/y' })
    expect(lines).toHaveLength(3)
  })

  test('shares the link with the players of other streams of the same back-source', async () => {
    const { hub, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const [first, second] = [play(), play('__defaultVhost__/live/y')]
    hub.onMessage(back.up(1))
    hub.onMessage({ ...back.up(2), stream: '__defaultVhost__/live/y' })
    await vi.waitFor(() => expect(back.asked).toStrictEqual(['subscribe 1', 'subscribe 2']))
    expect(back.server.channels).toBe(1)
    back.begin(1)
    back.begin(2)
    back.media(2, interFrame(40, 'second'))
    await expectMarks(second.socket, ['avc', 'one-key', 'second'])
    await expectMarks(first.socket, ['avc', 'one-key'])
  })

  test('of a further format gets the cached past too, and those of the first do not get it again', async () => {
    const { hub, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { socket } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    await expectMarks(socket, ['avc', 'one-key'])
    const { socket: other } = play(stream, rtmpFormat(128, 5))
    await vi.waitFor(() => expect(back.asked.at(-1)).toBe('replay 1'))
    back.media(1, interFrame(40, 'before'))
    back.say('replay-begin')
    back.media(1, videoHeader('avc'), keyFrame(0, 'one-key'), interFrame(40, 'before'))
    back.say('replay-end')
    back.media(1, interFrame(80, 'after'))
    await expectMarks(other, ['avc', 'one-key', 'before', 'after'])
    await expectMarks(socket, ['before', 'after'])
  })

  test('of a stream that nobody asked for any more is no player', () => {
    const { hub, sent } = setUp()
    hub.onMessage({ t: 'source-up', stream, source: 1, path: '/nowhere', sourceId: 'x' })
    hub.onMessage({ t: 'source-down', stream, source: 1 })
    hub.onMessage({ t: 'source-absent', stream })
    expect(sent).toStrictEqual([])
    expect(hub.status()).toStrictEqual([])
  })
})

describe('a stream', () => {
  test('without players is kept for ten seconds, then let go', async () => {
    const { hub, sent, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { player } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    player.stop()
    const now = monotonicMs()
    hub.sweep(now + 9000)
    expect(hub.status().length).toBe(1)
    hub.sweep(now + 11_000)
    expect(hub.status()).toStrictEqual([])
    expect(sent.at(-1)).toStrictEqual({ t: 'unwatch', stream, bytesOut: 0 })
    await vi.waitFor(() => expect(back.asked.at(-1)).toBe('unsubscribe 1'))
  })

  test('with players is not let go', () => {
    const { hub, play } = setUp()
    play()
    hub.sweep(monotonicMs() + 60_000)
    expect(hub.status().length).toBe(1)
  })

  test('is found again by a player that was paused for longer than it was kept', async () => {
    const { hub, sent, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { player, socket } = play()
    player.stop()
    hub.sweep(monotonicMs() + 11_000)
    expect(hub.status()).toStrictEqual([])
    player.start()
    expect(sent.map(({ t }) => t)).toStrictEqual(['watch', 'unwatch', 'watch'])
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    await expectMarks(socket, ['avc', 'one-key'])
    player.stop()
    const { socket: next } = play()
    hub.sweep(monotonicMs() + 11_000)
    await expectMarks(next, ['avc', 'one-key'])
  })

  test('is let go early when very many are asked for that nobody plays', () => {
    const { hub, sent, play } = setUp()
    play(stream)
    for (let index = 0; index < 300; index += 1) play(`${stream}${index}`).player.stop()
    expect(hub.status().length).toBe(257)
    expect(sent.filter(({ t }) => t === 'unwatch').length).toBe(44)
    expect(hub.status()[0]).toMatchObject({ stream, players: 1 })
  })
})

describe('the audience of a stream', () => {
  test('is who plays it, and what went out; the master gets the sum when the stream is let go', async () => {
    const { hub, sent, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    expect(hub.pulled(stream)).toBeNull()
    const players = [play(), play()]
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    for (const { socket } of players) await expectMarks(socket, ['avc', 'one-key'])
    const sendBytes = players
      .flatMap(({ socket }) => socket.written)
      .reduce((sum, { length }) => sum + length, 0)
    expect(hub.pulled(stream)?.players).toBe(2)
    expect([...hub.sent()]).toStrictEqual([{ stream, sendBytes }])
    for (const { player } of players) player.stop()
    hub.sweep(monotonicMs() + 11_000)
    expect(sent.at(-1)).toStrictEqual({ t: 'unwatch', stream, bytesOut: sendBytes })
  })
})

describe('whether a stream is published', () => {
  test('is known when the master or the back-source has answered, and follows publishers', async () => {
    const { hub } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const pulled = hub.streamFor(stream, vhostConfigOf())
    const seen: string[] = []
    pulled.observe(() => seen.push(pulled.presence))
    expect(pulled.presence).toBe('unknown')
    hub.onMessage({ t: 'source-absent', stream })
    expect(seen).toStrictEqual(['absent'])
    hub.onMessage(back.up())
    await back.subscribed()
    back.say('idle')
    await vi.waitFor(() => expect(seen).toStrictEqual(['absent', 'absent']))
    back.begin()
    await vi.waitFor(() => expect(seen.slice(2)).toStrictEqual(['live', 'live']))
    back.say('idle')
    await vi.waitFor(() => expect(seen.slice(4)).toStrictEqual(['absent']))
    hub.onMessage({ t: 'source-down', stream, source: 1 })
    expect(pulled.presence).toBe('absent')
  })

  test('keeps the stream as long as somebody wants to know', () => {
    const { hub } = setUp()
    const end = hub.streamFor(stream, vhostConfigOf()).observe(() => {})
    hub.sweep(monotonicMs() + 60_000)
    expect(hub.status().length).toBe(1)
    end()
    end()
    hub.sweep(monotonicMs() + 60_000)
    expect(hub.status()).toStrictEqual([])
  })
})

describe('a source that goes down', () => {
  test('and comes up elsewhere: players go on there, in time', async () => {
    const { hub, play } = setUp()
    const [one, two] = [await fakeBackSource(stream, 'one'), await fakeBackSource(stream, 'two')]
    const { socket } = play()
    hub.onMessage(one.up())
    await one.subscribed()
    one.begin()
    one.media(1, interFrame(5000))
    await expectMarks(socket, ['avc', 'one-key', '5000'])
    hub.onMessage({ t: 'source-down', stream, source: 1 })
    hub.onMessage(two.up())
    await two.subscribed()
    two.begin()
    await vi.waitFor(() => {
      expect(socket.take()).toMatchObject([
        { timestamp: 5000, body: Buffer.from('avc') },
        { timestamp: 5040, body: Buffer.from('two-key') },
      ])
    })
  })

  test('sends nothing any more, though its packets are still on their way', async () => {
    const { hub, play } = setUp()
    const [one, two] = [await fakeBackSource(stream, 'one'), await fakeBackSource(stream, 'two')]
    const { socket } = play()
    hub.onMessage(one.up())
    await one.subscribed()
    hub.onMessage({ t: 'source-down', stream, source: 1 })
    hub.onMessage(two.up())
    await two.subscribed()
    one.begin()
    one.media(1, keyFrame(0, 'late'))
    await new Promise(setImmediate)
    two.begin()
    await expectMarks(socket, ['avc', 'two-key'])
  })

  test('shows who joins meanwhile nothing of the past', async () => {
    const { hub, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { socket } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    await expectMarks(socket, ['avc', 'one-key'])
    hub.onMessage({ t: 'source-down', stream, source: 1 })
    expect(play().socket.take()).toStrictEqual([])
  })

  test('because its publisher left shows joiners nothing of the past either', async () => {
    const { hub, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { socket } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    back.say('idle')
    await expectMarks(socket, ['avc', 'one-key'])
    await vi.waitFor(() => expect(play().socket.take()).toStrictEqual([]))
  })
})

describe('a source that is lost', () => {
  test.each<[string, (back: Awaited<ReturnType<typeof fakeBackSource>>) => void]>([
    ['with its link', (back) => back.server.close()],
    ['in its back-source', (back) => back.say('gone')],
  ])('%s is asked for again after a moment', async (_, lose) => {
    const { hub, sent, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    play()
    hub.onMessage(back.up())
    await back.subscribed()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    lose(back)
    while (hub.status()[0]?.source !== 0) await new Promise(setImmediate)
    expect(sent).toStrictEqual([{ t: 'watch', stream }])
    vi.advanceTimersByTime(500)
    expect(sent).toStrictEqual([
      { t: 'watch', stream },
      { t: 'watch', stream },
    ])
  })

  test('is not asked for again when the master has told of another meanwhile', async () => {
    const { hub, sent, play } = setUp()
    const [one, two] = [await fakeBackSource(stream, 'one'), await fakeBackSource(stream, 'two')]
    play()
    hub.onMessage(one.up())
    await one.subscribed()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    one.server.close()
    while (hub.status()[0]?.source !== 0) await new Promise(setImmediate)
    hub.onMessage(two.up(2))
    vi.advanceTimersByTime(1000)
    expect(sent).toStrictEqual([{ t: 'watch', stream }])
    expect(hub.status()).toMatchObject([{ source: 2 }])
  })

  test('is not asked for again when nobody plays it any more, nor twice when it was let go and came back', async () => {
    const { hub, sent, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { player } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    back.server.close()
    while (hub.status()[0]?.source !== 0) await new Promise(setImmediate)
    player.stop()
    hub.sweep(monotonicMs() + 11_000)
    play()
    vi.advanceTimersByTime(1000)
    expect(sent.map(({ t }) => t)).toStrictEqual(['watch', 'unwatch', 'watch'])
  })

  test('is named in the log when its link broke', async () => {
    const { hub, lines, play } = setUp()
    play()
    hub.onMessage({ t: 'source-up', stream, source: 1, path: join(tempDir(), 'nobody.sock'), sourceId: 'x' })
    await vi.waitFor(() => expect(lines.at(-1)).toMatchObject({ level: 40, stream: 'live/x', players: 1 }))
  })
})

describe('a reload', () => {
  test('holds for running streams', async () => {
    const { hub, play } = setUp()
    const back = await fakeBackSource(stream, 'one')
    const { socket } = play()
    hub.onMessage(back.up())
    await back.subscribed()
    back.begin()
    await expectMarks(socket, ['avc', 'one-key'])
    expect(play().socket.takeMarks()).toStrictEqual(['avc', 'one-key'])
    hub.reload(configOf('vhost __defaultVhost__ { play { gop_cache off; } }'))
    expect(play().socket.takeMarks()).toStrictEqual([])
  })

  test.each(['play { mw_latency 0; }', 'min_latency on;'])(
    'with %s holds for a stream that waits',
    async (section) => {
      const slow = 'play { mw_latency 10000; }'
      const { hub, play } = setUp(slow)
      const back = await fakeBackSource(stream, 'one')
      const { socket } = play()
      hub.onMessage(back.up())
      await back.subscribed()
      back.begin()
      // Who waits for a key frame does not wait for the interval.
      await expectMarks(socket, ['avc', 'one-key'])
      back.media(1, interFrame(40))
      await vi.waitFor(() => expect(hub.status()).toMatchObject([{ packetsIn: 3 }]))
      hub.reload(configOf(`vhost __defaultVhost__ { ${section} }`))
      await expectMarks(socket, ['40'])
      back.media(1, interFrame(80))
      await expectMarks(socket, ['80'])
    },
  )
})

test('a stream that is wanted besides is watched on when its last player has left', () => {
  const { hub, sent, play } = setUp()
  const wanted = hub.want(stream)
  const { player } = play()
  player.stop()
  hub.sweep(monotonicMs() + 10_001)
  expect(sent.map(({ t }) => t)).toStrictEqual(['watch', 'watch', 'unwatch', 'watch'])
  expect(hub.pulled(stream)).toBeNull()
  wanted.release()
  expect(sent.at(-1)).toStrictEqual({ t: 'unwatch', stream, bytesOut: 0 })
})

test('what is only wanted is not subscribed to', () => {
  const { hub } = setUp()
  const wanted = hub.want(stream)
  hub.onMessage({ t: 'source-up', stream, source: 1, path: '/nowhere', sourceId: 's' })
  expect(wanted.presence).toBe('live')
  expect(hub.status()).toStrictEqual([])
})
