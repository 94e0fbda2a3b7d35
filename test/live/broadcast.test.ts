import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Broadcast, type BroadcastOptions } from '../../src/live/broadcast.ts'
import { FlushClock } from '../../src/live/flush-clock.ts'
import { Viewer } from '../../src/live/viewer.ts'
import {
  audioHeader,
  cuePoint,
  interFrame,
  keyFrame,
  marks,
  metadata,
  sound,
  videoHeader,
} from '../support/packets.ts'
import { FakeSocket, plainMuxer, StoppedClock } from './plain-wire.ts'

const options: BroadcastOptions = {
  gopCache: true,
  maxBehindMs: 10_000,
  maxBehindBytes: 1000,
  gopCacheMaxBytes: 10_000,
  stallMs: 30_000,
}

function newBroadcast(changed: Partial<BroadcastOptions> = {}): Broadcast {
  return new Broadcast(plainMuxer, new StoppedClock(), { ...options, ...changed })
}

function newViewer(socket = new FakeSocket()): { viewer: Viewer; socket: FakeSocket } {
  return { viewer: new Viewer(socket, () => {}), socket }
}

/** Lets a new viewer join. */
function join(broadcast: Broadcast): FakeSocket {
  const { viewer, socket } = newViewer()
  broadcast.join(viewer)
  return socket
}

/** A stream with headers and a GOP of two frames and sound, flushed. */
function begin(broadcast: Broadcast): void {
  for (const packet of [metadata('meta'), videoHeader('avc'), audioHeader('aac')]) broadcast.push(packet)
  broadcast.push(keyFrame(0, 'key0'))
  broadcast.push(sound(10, 'sound10'))
  broadcast.push(interFrame(40, 'inter40'))
  broadcast.flush()
}

describe('another clock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('is the one that packets wait for from then on', () => {
    const broadcast = new Broadcast(plainMuxer, new FlushClock(10_000), options)
    begin(broadcast)
    vi.runOnlyPendingTimers()
    const socket = join(broadcast)
    socket.take()
    broadcast.clock = new FlushClock(100)
    broadcast.push(interFrame(80))
    vi.advanceTimersByTime(99)
    expect(socket.take()).toStrictEqual([])
    vi.advanceTimersByTime(1)
    expect(marks(socket.take())).toStrictEqual(['80'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('lets go what already waits for a tick of the one before', () => {
    const broadcast = new Broadcast(plainMuxer, new FlushClock(10_000), options)
    begin(broadcast)
    vi.runOnlyPendingTimers()
    const socket = join(broadcast)
    socket.take()
    broadcast.push(interFrame(80))
    broadcast.clock = new FlushClock(100)
    broadcast.push(interFrame(120))
    vi.advanceTimersByTime(100)
    expect(marks(socket.take())).toStrictEqual(['80', '120'])
    broadcast.push(interFrame(160))
    vi.advanceTimersByTime(100)
    expect(marks(socket.take())).toStrictEqual(['160'])
    vi.advanceTimersByTime(10_000)
    expect(socket.take()).toStrictEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('viewers in step', () => {
  test('get what came since the last flush in one write', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const socket = join(broadcast)
    socket.take()
    broadcast.push(sound(50))
    broadcast.push(interFrame(80))
    expect(socket.written).toStrictEqual([])
    broadcast.flush()
    expect(socket.written.length).toBe(1)
    expect(marks(socket.take())).toStrictEqual(['50', '80'])
    broadcast.flush()
    expect(socket.written).toStrictEqual([])
  })

  test('are all written the same Buffer', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const sockets = [join(broadcast), join(broadcast), join(broadcast)]
    for (const { written } of sockets) written.splice(0)
    broadcast.push(interFrame(80))
    broadcast.flush()
    const [first, ...others] = sockets.map(({ written }) => written[0])
    for (const other of others) expect(other).toBe(first)
  })

  test('get a key frame in the same write as what came before it; joiners begin at it all the same', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const socket = join(broadcast)
    socket.written.splice(0)
    broadcast.push(interFrame(80))
    broadcast.push(keyFrame(120))
    broadcast.push(sound(130))
    broadcast.push(keyFrame(160))
    broadcast.flush()
    expect(socket.written.length).toBe(1)
    expect(marks(socket.take())).toStrictEqual(['80', '120', '130', '160'])
    expect(marks(join(broadcast).take())).toStrictEqual(['meta', 'avc', 'aac', '160'])
  })

  test('get nothing after they left', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const stays = newViewer()
    const leaves = newViewer()
    broadcast.join(leaves.viewer)
    broadcast.join(stays.viewer)
    expect(broadcast.viewers).toBe(2)
    broadcast.leave(leaves.viewer)
    broadcast.leave(leaves.viewer)
    expect(broadcast.viewers).toBe(1)
    for (const { socket } of [stays, leaves]) socket.take()
    broadcast.push(interFrame(80))
    broadcast.flush()
    expect(marks(stays.socket.take())).toStrictEqual(['80'])
    expect(leaves.socket.written).toStrictEqual([])
  })

  test('get bodies as they were when they were pushed: they are views of a buffer that is read into again', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const socket = join(broadcast)
    socket.take()
    const shared = Buffer.from('frame')
    broadcast.push(interFrame(80, shared))
    shared.fill('x')
    broadcast.flush()
    expect(marks(socket.take())).toStrictEqual(['frame'])
  })

  test('of a cue point get it too', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const socket = join(broadcast)
    socket.take()
    broadcast.push(cuePoint(60))
    broadcast.flush()
    expect(socket.take()).toMatchObject([{ timestamp: 60, flags: 0 }])
  })
})

describe('a joiner', () => {
  test('gets headers and the cached GOP at once, then is in step', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    broadcast.push(interFrame(80))
    const socket = join(broadcast)
    expect(marks(socket.take())).toStrictEqual(['meta', 'avc', 'aac', 'key0', 'sound10', 'inter40'])
    broadcast.flush()
    expect(marks(socket.take())).toStrictEqual(['80'])
  })

  test('gets headers at the time of what follows them', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    broadcast.push(keyFrame(1000))
    broadcast.flush()
    expect(join(broadcast).packets.map(({ timestamp }) => timestamp)).toStrictEqual([1000, 1000, 1000, 1000])
  })

  test('shares the bytes of headers and GOP with the other joiners', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const [one, other] = [join(broadcast), join(broadcast)]
    expect(one.written.length).toBe(2)
    for (const [index, bytes] of one.written.entries()) expect(other.written[index]).toBe(bytes)
  })

  test('gets the newest GOP only', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    broadcast.push(keyFrame(80))
    broadcast.push(interFrame(120))
    broadcast.flush()
    expect(marks(join(broadcast).packets)).toStrictEqual(['meta', 'avc', 'aac', '80', '120'])
  })

  test('of a GOP that grew beyond its bound in bytes waits for the next key frame', () => {
    const broadcast = newBroadcast({ gopCacheMaxBytes: 100 })
    begin(broadcast)
    broadcast.push(interFrame(80, Buffer.alloc(100)))
    broadcast.flush()
    const socket = join(broadcast)
    broadcast.push(interFrame(120))
    broadcast.flush()
    expect(socket.packets).toStrictEqual([])
    broadcast.push(keyFrame(160))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['meta', 'avc', 'aac', '160'])
  })

  test('of a GOP that is longer than queue_length waits for the next key frame', () => {
    const broadcast = newBroadcast({ maxBehindMs: 1000 })
    begin(broadcast)
    broadcast.push(interFrame(1000))
    broadcast.flush()
    expect(marks(join(broadcast).packets)).toContain('1000')
    broadcast.push(interFrame(1001))
    broadcast.flush()
    const socket = join(broadcast)
    expect(socket.packets).toStrictEqual([])
    broadcast.push(keyFrame(1040))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['meta', 'avc', 'aac', '1040'])
  })

  test('gets the headers that belong to the cached GOP, and later ones where they came', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    broadcast.push(videoHeader('avc2'))
    const early = join(broadcast)
    broadcast.flush()
    const late = join(broadcast)
    const gop = ['meta', 'avc', 'aac', 'key0', 'sound10', 'inter40', 'avc2']
    expect(marks(early.packets)).toStrictEqual(gop)
    expect(marks(late.packets)).toStrictEqual(gop)
    broadcast.push(keyFrame(80))
    broadcast.flush()
    expect(marks(join(broadcast).packets)).toStrictEqual(['meta', 'avc2', 'aac', '80'])
  })

  test('without gop_cache waits for the next key frame', () => {
    const broadcast = newBroadcast({ gopCache: false })
    begin(broadcast)
    const socket = join(broadcast)
    broadcast.push(interFrame(80))
    broadcast.push(sound(90))
    broadcast.flush()
    expect(socket.packets).toStrictEqual([])
    broadcast.push(keyFrame(120))
    broadcast.push(sound(130))
    broadcast.flush()
    expect(marks(socket.take())).toStrictEqual(['meta', 'avc', 'aac', '120', '130'])
    broadcast.push(interFrame(160))
    broadcast.flush()
    expect(marks(socket.take())).toStrictEqual(['160'])
  })

  test('that waits gets the key frame at the end of the turn, whatever the flush interval', async () => {
    const broadcast = newBroadcast()
    const socket = join(broadcast)
    broadcast.push(keyFrame(0))
    broadcast.push(interFrame(40))
    await new Promise((resolve) => setImmediate(resolve))
    expect(marks(socket.take())).toStrictEqual(['0', '40'])
    broadcast.push(interFrame(80))
    await new Promise((resolve) => setImmediate(resolve))
    expect(socket.written).toStrictEqual([])
  })

  test('waits for the key frame when the stream is met in the middle of a GOP', () => {
    const broadcast = newBroadcast({ gopCache: false })
    const socket = join(broadcast)
    broadcast.push(videoHeader('avc'))
    broadcast.push(audioHeader('aac'))
    broadcast.flush()
    broadcast.push(sound(1000))
    broadcast.flush()
    broadcast.push(interFrame(1010))
    broadcast.flush()
    expect(socket.packets).toStrictEqual([])
    broadcast.push(keyFrame(1040))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['avc', 'aac', '1040'])
  })

  test('does not begin at sound that a frame of the running GOP follows in the same flush', () => {
    const broadcast = newBroadcast()
    const socket = join(broadcast)
    broadcast.push(sound(0))
    broadcast.push(interFrame(10))
    broadcast.flush()
    expect(socket.packets).toStrictEqual([])
    const later = join(broadcast)
    broadcast.push(keyFrame(40))
    broadcast.flush()
    for (const joiner of [socket, later]) expect(marks(joiner.packets)).toStrictEqual(['40'])
  })

  test('of a stream without video joins at the next flush', () => {
    const broadcast = newBroadcast()
    broadcast.push(audioHeader('aac'))
    broadcast.push(sound(0))
    broadcast.flush()
    const socket = join(broadcast)
    broadcast.push(sound(23))
    broadcast.flush()
    broadcast.push(sound(46))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['aac', '23', '46'])
  })

  test('does not wait for a key frame of a camera that was switched off', () => {
    const broadcast = newBroadcast({ maxBehindMs: 1000 })
    begin(broadcast)
    for (let time = 100; time <= 1100; time += 100) {
      broadcast.push(sound(time))
      broadcast.flush()
    }
    const early = join(broadcast)
    broadcast.push(sound(1101))
    broadcast.flush()
    expect(marks(early.packets)).toStrictEqual(['meta', 'avc', 'aac', '1101'])
    const late = join(broadcast)
    broadcast.push(interFrame(1140))
    broadcast.flush()
    expect(late.packets).toStrictEqual([])
  })

  test('of a stream that is not there yet gets it from its beginning', () => {
    const broadcast = newBroadcast()
    const socket = join(broadcast)
    expect(socket.written).toStrictEqual([])
    broadcast.restart()
    begin(broadcast)
    expect(marks(socket.packets)).toStrictEqual(['meta', 'avc', 'aac', 'key0', 'sound10', 'inter40'])
  })

  test('that comes a second time, as after a pause, begins anew', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    const { viewer, socket } = newViewer()
    broadcast.join(viewer)
    const first = marks(socket.take())
    broadcast.leave(viewer)
    broadcast.push(interFrame(80))
    broadcast.flush()
    broadcast.join(viewer)
    expect(marks(socket.take())).toStrictEqual([...first, '80'])
    broadcast.push(interFrame(120))
    broadcast.flush()
    expect(marks(socket.take())).toStrictEqual(['120'])
    expect(viewer.dropped).toBe(0)
    expect(broadcast.viewers).toBe(1)
  })
})

describe('a joiner of sound alone', () => {
  const soundAt = (broadcast: Broadcast, ...times: number[]): void => {
    for (const time of times) {
      broadcast.push(sound(time))
      broadcast.flush()
    }
  }

  test('gets as much at once as fast_cache says, and goes on in step', () => {
    const broadcast = newBroadcast({ audioCacheMs: 100 })
    soundAt(broadcast, 0, 50, 100, 150, 200, 250)
    const socket = join(broadcast)
    expect(marks(socket.take())).toStrictEqual(['150', '200', '250'])
    soundAt(broadcast, 300)
    expect(marks(socket.take())).toStrictEqual(['300'])
  })

  test('gets no more than gop_cache_max_bytes', () => {
    const broadcast = newBroadcast({ audioCacheMs: 100_000, gopCacheMaxBytes: 40 })
    soundAt(broadcast, 0, 50, 100, 150, 200)
    expect(marks(join(broadcast).take())).toStrictEqual(['100', '150', '200'])
  })

  test('gets nothing of a publish that is over', () => {
    const broadcast = newBroadcast({ audioCacheMs: 1000 })
    soundAt(broadcast, 0, 50)
    broadcast.restart()
    const socket = join(broadcast)
    soundAt(broadcast, 100)
    expect(marks(socket.take())).toStrictEqual(['100'])
  })
})

describe('a muxer that needs no headers in front', () => {
  test('is not asked to write them again, and hears of a restart', () => {
    const restart = vi.fn()
    const muxer = { ...plainMuxer, selfContained: true, restart }
    const broadcast = new Broadcast(muxer, new StoppedClock(), options)
    begin(broadcast)
    expect(marks(join(broadcast).take())).toStrictEqual(['key0', 'sound10', 'inter40'])
    broadcast.restart()
    expect(restart).toHaveBeenCalledTimes(1)
  })
})

describe('settings changed at run time', () => {
  test('gop_cache off lets joiners wait from now on', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    broadcast.options = { ...options, gopCache: false }
    const socket = join(broadcast)
    broadcast.push(interFrame(80))
    broadcast.flush()
    expect(socket.packets).toStrictEqual([])
    broadcast.options = options
    broadcast.push(keyFrame(120))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['meta', 'avc', 'aac', '120'])
    expect(marks(join(broadcast).packets)).toStrictEqual(['meta', 'avc', 'aac', '120'])
  })
})

describe('counters', () => {
  test('count packets that came and bytes that went out, each copy of them', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    expect(broadcast.packetsIn).toBe(6)
    expect(broadcast.bytesOut).toBe(0)
    const sockets = [join(broadcast), join(broadcast)]
    broadcast.push(interFrame(80))
    broadcast.flush()
    const written = sockets.flatMap((socket) => socket.written).reduce((sum, { length }) => sum + length, 0)
    expect(broadcast.bytesOut).toBe(written)
  })

  test('headers are those of the stream', () => {
    const broadcast = newBroadcast()
    begin(broadcast)
    expect(marks(broadcast.headers.list())).toStrictEqual(['meta', 'avc', 'aac'])
    broadcast.restart()
    expect(broadcast.headers.list()).toStrictEqual([])
  })
})

describe('the flush clock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('is asked once for all that comes until it ticks', () => {
    const clock = new StoppedClock()
    const broadcast = new Broadcast(plainMuxer, clock, options)
    broadcast.push(keyFrame(0))
    broadcast.push(keyFrame(40))
    expect(clock.scheduled).toBe(1)
    broadcast.flush()
    broadcast.push(interFrame(80))
    expect(clock.scheduled).toBe(2)
  })

  test('lets the packets go after its interval', () => {
    const broadcast = new Broadcast(plainMuxer, new FlushClock(100), options)
    begin(broadcast)
    vi.advanceTimersByTime(100)
    const socket = join(broadcast)
    socket.take()
    broadcast.push(interFrame(80))
    vi.advanceTimersByTime(99)
    broadcast.push(interFrame(120))
    expect(socket.written).toStrictEqual([])
    vi.advanceTimersByTime(1)
    expect(marks(socket.take())).toStrictEqual(['80', '120'])
    broadcast.push(interFrame(160))
    vi.advanceTimersByTime(100)
    expect(marks(socket.take())).toStrictEqual(['160'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
