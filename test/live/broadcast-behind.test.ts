import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import { Broadcast, type BroadcastOptions } from '../../src/live/broadcast.ts'
import { Viewer } from '../../src/live/viewer.ts'
import { audioHeader, interFrame, keyFrame, marks, metadata, sound, videoHeader } from '../support/packets.ts'
import { FakeSocket, plainMuxer, StoppedClock } from './plain-wire.ts'

const options: BroadcastOptions = {
  gopCache: true,
  maxBehindMs: 10_000,
  maxBehindBytes: 1000,
  gopCacheMaxBytes: 10_000,
  stallMs: 30_000,
}

/** A broadcast with one GOP so far and a viewer in step whose socket is full. */
function slowViewer(changed: Partial<BroadcastOptions> = {}) {
  const broadcast = new Broadcast(plainMuxer, new StoppedClock(), { ...options, ...changed })
  const onStalled = vi.fn()
  const socket = new FakeSocket()
  const viewer = new Viewer(socket, onStalled)
  broadcast.join(viewer)
  broadcast.push(metadata('meta'))
  broadcast.push(videoHeader('avc'))
  broadcast.push(keyFrame(0))
  broadcast.flush()
  socket.take()
  socket.capacity = 1
  broadcast.push(interFrame(40))
  broadcast.flush()
  expect(socket.writableNeedDrain).toBe(true)
  expect(marks(socket.take())).toStrictEqual(['40'])
  /** The peer reads everything; with a capacity of 1 the socket is full again after one write. */
  const drain = (capacity = Number.POSITIVE_INFINITY): string[] => {
    socket.capacity = capacity
    socket.drain()
    broadcast.onDrain(viewer)
    return marks(socket.take())
  }
  return { broadcast, viewer, socket, onStalled, drain }
}

function pushFlushed(broadcast: Broadcast, ...packets: Parameters<Broadcast['push']>[0][]): void {
  for (const packet of packets) {
    broadcast.push(packet)
    broadcast.flush()
  }
}

describe('a viewer whose socket is full', () => {
  test('is written nothing, and everything in order when it drains', () => {
    const { broadcast, socket, drain, viewer } = slowViewer()
    pushFlushed(broadcast, interFrame(80), sound(90), keyFrame(120), interFrame(160))
    expect(socket.written).toStrictEqual([])
    expect(broadcast.viewers).toBe(1)
    expect(drain()).toStrictEqual(['80', '90', '120', '160'])
    pushFlushed(broadcast, interFrame(200))
    expect(marks(socket.take())).toStrictEqual(['200'])
    expect(viewer.dropped).toBe(0)
  })

  test('is written as much as its socket takes, again and again', () => {
    const { broadcast, drain } = slowViewer()
    pushFlushed(broadcast, interFrame(80), interFrame(120), interFrame(160))
    expect(drain(1)).toStrictEqual(['80'])
    expect(drain(1)).toStrictEqual(['120'])
    pushFlushed(broadcast, interFrame(200))
    expect(drain(1)).toStrictEqual(['160'])
    expect(drain(1)).toStrictEqual(['200'])
    expect(drain(1)).toStrictEqual([])
  })

  test('that drains with nothing missed is in step again', () => {
    const { broadcast, socket, drain } = slowViewer()
    expect(drain()).toStrictEqual([])
    pushFlushed(broadcast, interFrame(80))
    expect(marks(socket.take())).toStrictEqual(['80'])
    expect(broadcast.viewers).toBe(1)
  })

  test('does not slow the others down', () => {
    const { broadcast } = slowViewer()
    const others = [new FakeSocket(), new FakeSocket(1), new FakeSocket()]
    for (const socket of others) broadcast.join(new Viewer(socket, () => {}))
    pushFlushed(broadcast, interFrame(80), interFrame(120))
    expect(marks(others[0]!.packets)).toStrictEqual(['meta', 'avc', '0', '40', '80', '120'])
    expect(marks(others[2]!.packets)).toStrictEqual(['meta', 'avc', '0', '40', '80', '120'])
    expect(broadcast.viewers).toBe(4)
  })

  test('holds the same bytes as the others got', () => {
    const { broadcast, viewer, socket } = slowViewer()
    const other = new FakeSocket()
    broadcast.join(new Viewer(other, () => {}))
    pushFlushed(broadcast, interFrame(80))
    socket.drain()
    broadcast.onDrain(viewer)
    expect(socket.written[0]).toBe(other.written.at(-1))
  })

  test('can leave', () => {
    const { broadcast, viewer, socket } = slowViewer()
    pushFlushed(broadcast, interFrame(80))
    broadcast.leave(viewer)
    expect(broadcast.viewers).toBe(0)
    socket.drain()
    broadcast.onDrain(viewer)
    pushFlushed(broadcast, keyFrame(120))
    expect(socket.written).toStrictEqual([])
    expect(broadcast.viewers).toBe(0)
  })

  test('gets the headers of a joiner only when it drains', () => {
    const { broadcast } = slowViewer()
    const socket = new FakeSocket(1)
    socket.write(Buffer.alloc(1))
    socket.written.splice(0)
    const viewer = new Viewer(socket, () => {})
    broadcast.join(viewer)
    expect(socket.written).toStrictEqual([])
    socket.capacity = Number.POSITIVE_INFINITY
    socket.drain()
    broadcast.onDrain(viewer)
    expect(marks(socket.packets)).toStrictEqual(['meta', 'avc', '0', '40'])
  })
})

describe('a viewer that is too far behind', () => {
  test('in milliseconds goes on at the newest key frame', () => {
    const { broadcast, viewer, drain } = slowViewer()
    pushFlushed(broadcast, interFrame(80), keyFrame(9000), interFrame(9040), keyFrame(10_080))
    expect(viewer.dropped).toBe(0)
    pushFlushed(broadcast, interFrame(10_081))
    expect(drain()).toStrictEqual(['meta', 'avc', '10080', '10081'])
    expect(viewer.dropped).toBe(3)
  })

  test('in bytes goes on at the newest key frame; those of the current GOP do not count', () => {
    const { broadcast, viewer, drain } = slowViewer({ maxBehindBytes: 200 })
    pushFlushed(broadcast, interFrame(80, Buffer.alloc(90)), interFrame(120, Buffer.alloc(90)))
    pushFlushed(broadcast, keyFrame(160), interFrame(200, Buffer.alloc(1000)))
    expect(drain().length).toBe(4)
    expect(viewer.dropped).toBe(0)

    viewer.socket.write(Buffer.alloc(0))
    const other = slowViewer({ maxBehindBytes: 200 })
    pushFlushed(other.broadcast, interFrame(80, Buffer.alloc(90)), interFrame(120, Buffer.alloc(91)))
    pushFlushed(other.broadcast, keyFrame(160), interFrame(200))
    expect(other.drain()).toStrictEqual(['meta', 'avc', '160', '200'])
    expect(other.viewer.dropped).toBe(2)
  })

  test('goes on at the key frame that came just now, also without gop_cache', () => {
    const { broadcast, viewer, drain } = slowViewer({ gopCache: false, maxBehindMs: 1000 })
    pushFlushed(broadcast, interFrame(80), keyFrame(1081), interFrame(1120))
    expect(drain()).toStrictEqual(['meta', 'avc', '1081', '1120'])
    expect(viewer.dropped).toBe(1)
  })

  test('waits for a key frame if there is none', () => {
    const { broadcast, viewer, socket, drain } = slowViewer({ maxBehindMs: 1000 })
    pushFlushed(broadcast, interFrame(80), interFrame(500), interFrame(1081), sound(1090))
    expect(drain()).toStrictEqual([])
    pushFlushed(broadcast, interFrame(1120))
    expect(socket.written).toStrictEqual([])
    pushFlushed(broadcast, keyFrame(1160))
    expect(marks(socket.take())).toStrictEqual(['meta', 'avc', '1160'])
    expect(viewer.dropped).toBe(5)
    pushFlushed(broadcast, interFrame(1200))
    expect(marks(socket.take())).toStrictEqual(['1200'])
  })

  test('that waits and is still full gets the key frame when it drains', () => {
    const { broadcast, drain } = slowViewer({ maxBehindMs: 1000 })
    pushFlushed(broadcast, interFrame(80), interFrame(1081), keyFrame(1120), interFrame(1160))
    expect(drain()).toStrictEqual(['meta', 'avc', '1120', '1160'])
  })

  test('never misses the headers: they changed in what it lost', () => {
    const { broadcast, drain } = slowViewer({ maxBehindMs: 1000 })
    pushFlushed(broadcast, interFrame(80), videoHeader('avc2'), audioHeader('aac'), keyFrame(1081))
    pushFlushed(broadcast, videoHeader('avc3'))
    expect(drain()).toStrictEqual(['meta', 'avc2', 'aac', '1081', 'avc3'])
  })

  test('again before it took anything counts what it lost once', () => {
    const { broadcast, viewer, drain } = slowViewer({ maxBehindMs: 1000 })
    pushFlushed(broadcast, interFrame(80), keyFrame(1081), interFrame(2000), keyFrame(2082), interFrame(2120))
    expect(drain()).toStrictEqual(['meta', 'avc', '2082', '2120'])
    expect(viewer.dropped).toBe(3)
  })

  test('loses sound at any place of a stream without video', () => {
    const broadcast = new Broadcast(plainMuxer, new StoppedClock(), { ...options, maxBehindMs: 100 })
    const socket = new FakeSocket(1)
    const viewer = new Viewer(socket, () => {})
    broadcast.join(viewer)
    pushFlushed(broadcast, sound(0), sound(50), sound(100), sound(150), sound(151))
    expect(marks(socket.take())).toStrictEqual(['0'])
    socket.capacity = 1000
    socket.drain()
    broadcast.onDrain(viewer)
    expect(marks(socket.take())).toStrictEqual(['151'])
    expect(viewer.dropped).toBe(3)
  })

  test('is so by the stream clock that went past 2^32', () => {
    const broadcast = new Broadcast(plainMuxer, new StoppedClock(), { ...options, maxBehindMs: 100 })
    const socket = new FakeSocket(1)
    const viewer = new Viewer(socket, () => {})
    broadcast.join(viewer)
    const end = 2 ** 32
    pushFlushed(broadcast, keyFrame(end - 200), interFrame(end - 100, 'a'), interFrame(0, 'b'))
    pushFlushed(broadcast, interFrame(1, 'c'), keyFrame(40, 'd'))
    socket.take()
    socket.capacity = 1000
    socket.drain()
    broadcast.onDrain(viewer)
    expect(marks(socket.take())).toStrictEqual(['d'])
  })
})

describe('a viewer that makes no progress', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function advance(broadcast: Broadcast, ms: number): void {
    vi.advanceTimersByTime(ms)
    broadcast.sweep(monotonicMs())
  }

  test('is told stalled once, after the stall time', () => {
    const { broadcast, onStalled } = slowViewer()
    advance(broadcast, 30_000)
    expect(onStalled).not.toHaveBeenCalled()
    advance(broadcast, 1)
    expect(onStalled).toHaveBeenCalledTimes(1)
    advance(broadcast, 60_000)
    expect(onStalled).toHaveBeenCalledTimes(1)
    expect(broadcast.viewers).toBe(0)
  })

  test('but drains now and then is not stalled', () => {
    const { broadcast, onStalled, drain } = slowViewer()
    for (let round = 1; round <= 4; round += 1) {
      pushFlushed(broadcast, interFrame(40 + 40 * round))
      advance(broadcast, 29_000)
      expect(drain(1)).toStrictEqual([String(40 + 40 * round)])
    }
    expect(onStalled).not.toHaveBeenCalled()
  })

  test('because it waits for a key frame, with a socket that takes more, is not stalled', () => {
    const { broadcast, onStalled, drain } = slowViewer({ maxBehindMs: 1000 })
    pushFlushed(broadcast, interFrame(80), interFrame(1081))
    expect(drain()).toStrictEqual([])
    advance(broadcast, 60_000)
    expect(onStalled).not.toHaveBeenCalled()
  })

  test('is stalled also when it never took what it joined with', () => {
    const { broadcast } = slowViewer()
    const onStalled = vi.fn()
    broadcast.join(new Viewer(new FakeSocket(1), onStalled))
    advance(broadcast, 30_001)
    expect(onStalled).toHaveBeenCalledTimes(1)
  })
})
