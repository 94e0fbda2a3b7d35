import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import type { MediaClient } from '../../src/ipc/media-client.ts'
import type { BroadcastOptions } from '../../src/live/broadcast.ts'
import { FlushClock } from '../../src/live/flush-clock.ts'
import { Viewer } from '../../src/live/viewer.ts'
import { audioType } from '../../src/media/packet.ts'
import { PulledStream } from '../../src/pull/pulled-stream.ts'
import { rtmpFormat } from '../../src/stream/rtmp-muxer.ts'
import { interFrame, keyFrame, metadata, sound, videoHeader } from '../support/packets.ts'
import { PlaySocket } from '../support/play-socket.ts'

const options: BroadcastOptions = {
  gopCache: true,
  maxBehindMs: 10_000,
  maxBehindBytes: 1000,
  gopCacheMaxBytes: 10_000,
  stallMs: 30_000,
}

/** How nearly all players get it, and one that plays on another message stream. */
const usual = rtmpFormat(128, 1)
const other = rtmpFormat(128, 5)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp() {
  const onBusy = vi.fn()
  const onIdle = vi.fn()
  const pulled = new PulledStream('a/b/c', new FlushClock(0), options, { onBusy, onIdle })
  const join = (format = usual) => {
    const socket = new PlaySocket()
    const viewer = new Viewer(socket, () => {})
    return { socket, viewer, broadcast: pulled.join(format, viewer) }
  }
  const push = (...packets: Parameters<PulledStream['push']>[0][]): void => {
    for (const packet of packets) pulled.push(packet)
    vi.runAllTimers()
  }
  /** The stream comes from a back-source; what is asked of that one. */
  const pullFrom = (sourceId: string): unknown[] => {
    const asked: unknown[] = []
    const link = { send: (message: unknown) => asked.push(message) } as unknown as MediaClient
    pulled.subscription = { link, source: 7, sourceId }
    pulled.restart()
    return asked
  }
  return { pulled, join, push, pullFrom, onBusy, onIdle }
}

describe('players', () => {
  test('of one format share their bytes', () => {
    const { join, push } = setUp()
    const [one, two] = [join(), join()]
    push(videoHeader('avc'), keyFrame(0))
    expect(one.socket.takeMarks()).toStrictEqual(['avc', '0'])
    expect(two.socket.written).toStrictEqual(one.socket.written)
    for (const [index, bytes] of one.socket.written.entries()) expect(two.socket.written[index]).toBe(bytes)
  })

  test('of another format get the stream on their message stream', () => {
    const { join, push } = setUp()
    const [one, two] = [join(usual), join(other)]
    push(keyFrame(0))
    expect(one.socket.take()).toMatchObject([{ streamId: 1 }])
    expect(two.socket.take()).toMatchObject([{ streamId: 5 }])
  })

  test('of a further format wait for the past, which the back-source sends again', () => {
    const { pulled, join, push, pullFrom } = setUp()
    const asked = pullFrom('abc')
    join(usual)
    expect(asked).toStrictEqual([{ t: 'replay', source: 7 }])
    pulled.beginReplay()
    pulled.endReplay()
    push(metadata('meta'), videoHeader('avc'), keyFrame(0))
    const { socket } = join(other)
    expect(asked.length).toBe(2)
    push(interFrame(40))
    expect(socket.take()).toStrictEqual([])
    pulled.beginReplay()
    push(metadata('meta'), videoHeader('avc'), keyFrame(0), interFrame(40))
    pulled.endReplay()
    push(interFrame(80))
    expect(socket.takeMarks()).toStrictEqual(['meta', 'avc', '0', '40', '80'])
    expect(pulled.packetsIn).toBe(5)
  })

  test('that waited for the stream miss nothing, and nothing is sent again', () => {
    const { join, push, pullFrom } = setUp()
    const { socket } = join(usual)
    const asked = pullFrom('abc')
    push(videoHeader('avc'), keyFrame(0), interFrame(40))
    expect(asked).toStrictEqual([])
    expect(socket.takeMarks()).toStrictEqual(['avc', '0', '40'])
  })

  test('of ever new formats get headers and the next key frame: no more than 4 pasts in a second', () => {
    const { pulled, join, push, pullFrom } = setUp()
    const asked = pullFrom('abc')
    for (let streamId = 1; streamId <= 4; streamId += 1) join(rtmpFormat(128, streamId))
    pulled.beginReplay()
    pulled.endReplay()
    push(metadata('meta'), videoHeader('avc'), keyFrame(0))
    push(interFrame(3_600_000))
    const { socket } = join(rtmpFormat(128, 5))
    expect(asked.length).toBe(4)
    push(sound(3_600_010), interFrame(3_600_040))
    expect(socket.take()).toStrictEqual([])
    push(keyFrame(3_600_080, 'key'))
    expect(socket.take()).toMatchObject(
      ['meta', 'avc', 'key'].map((mark) => ({ timestamp: 3_600_080, body: Buffer.from(mark) })),
    )
    pulled.sweep(0)
    join(rtmpFormat(128, 6))
    expect(asked.length).toBe(5)
  })

  test('that wait for the past begin with the next publish if that is earlier', () => {
    const { pulled, join, push, pullFrom } = setUp()
    pullFrom('abc')
    const { socket } = join(usual)
    pulled.restart()
    push(keyFrame(0, 'next'))
    pulled.beginReplay()
    push(keyFrame(0, 'next'))
    pulled.endReplay()
    push(interFrame(40))
    expect(socket.takeMarks()).toStrictEqual(['next', '40'])
  })

  test('get the stream from its next back-source when the one before died while it sent the past again', () => {
    const { pulled, join, push, pullFrom } = setUp()
    pullFrom('abc')
    const { socket } = join(usual)
    pulled.beginReplay()
    push(keyFrame(0))
    pulled.idle()
    pullFrom('abc')
    push(videoHeader('avc'), keyFrame(40), interFrame(80))
    expect(socket.takeMarks().slice(-3)).toStrictEqual(['avc', '40', '80'])
  })

  test('of a format that has no place for some packets do not get these, nor wait for them', () => {
    const { join, push } = setUp()
    const { socket } = join({ ...other, key: 'sound', takes: ({ type }) => type === audioType })
    push(metadata('meta'), videoHeader('avc'), sound(0), keyFrame(10), sound(20), interFrame(30))
    push(sound(40))
    expect(socket.takeMarks()).toStrictEqual(['0', '20', '40'])
  })

  test('are counted over all formats', () => {
    const { pulled, join } = setUp()
    const [one, two] = [join(usual), join(other)]
    expect(pulled.players).toBe(2)
    pulled.leave(one.broadcast, one.viewer)
    pulled.leave(two.broadcast, two.viewer)
    expect(pulled.players).toBe(0)
  })

  test('are told of to the owner: the first that comes, the last that leaves', () => {
    const { pulled, join, onBusy, onIdle } = setUp()
    const one = join(usual)
    const two = join(other)
    expect(onBusy).toHaveBeenCalled()
    pulled.leave(one.broadcast, one.viewer)
    expect(onIdle).not.toHaveBeenCalled()
    pulled.leave(two.broadcast, two.viewer)
    expect(onIdle).toHaveBeenCalledTimes(1)
  })
})

describe('a format that nobody plays any more', () => {
  test('costs nothing while others go on', () => {
    const { pulled, join, push } = setUp()
    join(usual)
    push(keyFrame(0))
    for (let streamId = 2; streamId <= 16; streamId += 1) {
      const { broadcast, viewer } = join(rtmpFormat(128, streamId))
      pulled.leave(broadcast, viewer)
      const { packetsIn } = broadcast
      push(interFrame(40 * streamId))
      expect(broadcast.packetsIn).toBe(packetsIn)
    }
  })

  test('keeps the GOP for the next player if it is the only one', () => {
    const { pulled, join, push } = setUp()
    const { broadcast, viewer } = join(usual)
    push(keyFrame(0))
    pulled.leave(broadcast, viewer)
    push(interFrame(40))
    const next = join(usual)
    expect(next.broadcast).toBe(broadcast)
    expect(next.socket.takeMarks()).toStrictEqual(['0', '40'])
  })
})

describe('what has come of a publish', () => {
  test('is told to observers, and begins anew with the next publish', () => {
    const { pulled, push, pullFrom } = setUp()
    const seen: unknown[] = []
    pulled.observe(() => seen.push({ ...pulled.content }))
    pullFrom('abc')
    const [picture, frame] = [Buffer.of(0x17, 0), Buffer.of(0xaf, 1)]
    push(metadata('meta'), videoHeader(picture), keyFrame(0), sound(10, frame), sound(20), interFrame(40))
    pulled.idle()
    expect(seen).toStrictEqual([
      { audio: null, video: null },
      { audio: null, video: 'H264' },
      { audio: 'AAC', video: 'H264' },
      { audio: 'AAC', video: 'H264' },
    ])
    pulled.restart()
    expect(pulled.content).toStrictEqual({ audio: null, video: null })
  })
})

describe('a stream that is not published', () => {
  test('says for how long', () => {
    const { pulled, pullFrom } = setUp()
    const start = monotonicMs()
    expect(pulled.absentMs(start + 1000)).toBe(1000)
    vi.advanceTimersByTime(500)
    pulled.idle()
    vi.advanceTimersByTime(500)
    pulled.idle()
    expect(pulled.absentMs(monotonicMs())).toBe(500)
    pullFrom('abc')
    expect(pulled.absentMs(monotonicMs() + 5000)).toBe(0)
  })
})

describe('the stream', () => {
  test('counts what went out to players that are gone', () => {
    const { pulled, join, push } = setUp()
    join(usual)
    const { broadcast, viewer } = join(other)
    push(keyFrame(0))
    const before = pulled.bytesOut
    pulled.leave(broadcast, viewer)
    expect(pulled.bytesOut).toBe(before)
  })

  test('restarts and idles for all formats', () => {
    const { pulled, join, push } = setUp()
    const joined = [join(usual), join(other)]
    push(keyFrame(0))
    pulled.idle()
    const late = [join(usual), join(other)]
    pulled.restart()
    push(keyFrame(0, 'next'))
    for (const { socket } of joined) expect(socket.takeMarks()).toStrictEqual(['0', 'next'])
    for (const { socket } of late) expect(socket.takeMarks()).toStrictEqual(['next'])
  })

  test('counts what came, once, and what went out, to everybody', () => {
    const { pulled, join, push } = setUp()
    const sockets = [join(usual).socket, join(other).socket]
    push(keyFrame(0, 'key'), sound(10, 'sound'))
    expect(pulled).toMatchObject({ packetsIn: 2, bytesIn: 8 })
    const written = sockets.flatMap((socket) => socket.written).reduce((sum, { length }) => sum + length, 0)
    expect(pulled.bytesOut).toBe(written)
  })

  test('takes other settings for all formats, also those to come', () => {
    const { pulled, join, push } = setUp()
    join(usual)
    join(other)
    push(keyFrame(0))
    pulled.options = { ...options, gopCache: false }
    for (const format of [usual, other, rtmpFormat(128, 9)]) {
      expect(join(format).socket.take()).toStrictEqual([])
    }
  })
})
