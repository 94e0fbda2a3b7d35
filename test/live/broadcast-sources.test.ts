import { describe, expect, test } from 'vitest'
import { Broadcast, type BroadcastOptions } from '../../src/live/broadcast.ts'
import { Viewer } from '../../src/live/viewer.ts'
import { interFrame, keyFrame, marks, metadata, sound, videoHeader } from '../support/packets.ts'
import { FakeSocket, plainMuxer, StoppedClock } from './plain-wire.ts'

const options: BroadcastOptions = {
  gopCache: true,
  maxBehindMs: 10_000,
  maxBehindBytes: 1000,
  gopCacheMaxBytes: 10_000,
  stallMs: 30_000,
}

function newBroadcast(): Broadcast {
  return new Broadcast(plainMuxer, new StoppedClock(), options)
}

function join(broadcast: Broadcast): FakeSocket {
  const socket = new FakeSocket()
  broadcast.join(new Viewer(socket, () => {}))
  return socket
}

function timesOf(socket: FakeSocket): number[] {
  return socket.take().map(({ timestamp }) => timestamp)
}

describe('another source', () => {
  test('is sent on from where the stream was, whatever its clock says', () => {
    const broadcast = newBroadcast()
    broadcast.push(keyFrame(5000))
    broadcast.push(interFrame(5040))
    broadcast.flush()
    const socket = join(broadcast)
    expect(timesOf(socket)).toStrictEqual([5000, 5040])
    broadcast.restart()
    for (const time of [0, 40, 80]) broadcast.push(time === 0 ? keyFrame(0) : interFrame(time))
    broadcast.flush()
    expect(timesOf(socket)).toStrictEqual([5080, 5120, 5160])
  })

  test('whose clock is ahead keeps its time', () => {
    const broadcast = newBroadcast()
    broadcast.push(keyFrame(5000))
    broadcast.flush()
    const socket = join(broadcast)
    socket.take()
    broadcast.restart()
    broadcast.push(keyFrame(5100))
    broadcast.flush()
    expect(timesOf(socket)).toStrictEqual([5100])
  })

  test('after another keeps the time going', () => {
    const broadcast = newBroadcast()
    const socket = join(broadcast)
    for (let source = 0; source < 3; source += 1) {
      broadcast.restart()
      broadcast.push(keyFrame(0))
      broadcast.push(interFrame(40))
    }
    broadcast.flush()
    expect(timesOf(socket)).toStrictEqual([0, 40, 80, 120, 160, 200])
  })

  test('that takes over at the end of 32 bits goes on behind it', () => {
    const broadcast = newBroadcast()
    const socket = join(broadcast)
    broadcast.push(keyFrame(2 ** 32 - 20))
    broadcast.restart()
    broadcast.push(keyFrame(2 ** 32 - 5000))
    broadcast.push(interFrame(2 ** 32 - 4960))
    broadcast.flush()
    expect(timesOf(socket)).toStrictEqual([2 ** 32 - 20, 20, 60])
  })

  test('has headers of its own, which arrive at the time the stream has', () => {
    const broadcast = newBroadcast()
    broadcast.push(videoHeader('old'))
    broadcast.push(keyFrame(1000))
    broadcast.flush()
    const inStep = join(broadcast)
    inStep.take()
    broadcast.restart()
    broadcast.push(videoHeader('new'))
    broadcast.flush()
    const joiner = join(broadcast)
    broadcast.push(keyFrame(0, 'key'))
    broadcast.flush()
    expect(inStep.packets.map(({ timestamp }) => timestamp)).toStrictEqual([1000, 1040])
    for (const socket of [inStep, joiner]) expect(marks(socket.packets)).toStrictEqual(['new', 'key'])
    for (const { written } of [inStep, joiner]) expect(written.at(-1)).toBe(inStep.written.at(-1))
  })

  test('finds viewers that are still behind with the one before: they lose nothing', () => {
    const broadcast = newBroadcast()
    broadcast.push(videoHeader('old'))
    broadcast.push(keyFrame(0, 'a'))
    broadcast.flush()
    const socket = new FakeSocket(1)
    const viewer = new Viewer(socket, () => {})
    broadcast.join(viewer)
    broadcast.push(interFrame(40, 'b'))
    broadcast.restart()
    broadcast.push(videoHeader('new'))
    broadcast.push(keyFrame(0, 'c'))
    broadcast.flush()
    socket.capacity = 1000
    socket.drain()
    broadcast.onDrain(viewer)
    expect(marks(socket.packets)).toStrictEqual(['old', 'a', 'b', 'new', 'c'])
  })

  test('may begin without video though the one before had some', () => {
    const broadcast = newBroadcast()
    broadcast.push(keyFrame(0))
    broadcast.flush()
    broadcast.restart()
    const socket = join(broadcast)
    broadcast.push(sound(0, 'sound'))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['sound'])
  })
})

describe('a source that is idle', () => {
  test('has sent what came before', () => {
    const broadcast = newBroadcast()
    const socket = join(broadcast)
    broadcast.push(keyFrame(0))
    broadcast.idle()
    expect(marks(socket.packets)).toStrictEqual(['0'])
  })

  test('shows joiners nothing of the past', () => {
    const broadcast = newBroadcast()
    broadcast.push(metadata('old'))
    broadcast.push(keyFrame(0))
    broadcast.idle()
    const socket = join(broadcast)
    expect(socket.packets).toStrictEqual([])
    broadcast.restart()
    broadcast.push(metadata('new'))
    broadcast.push(keyFrame(0, 'key'))
    broadcast.flush()
    expect(marks(socket.packets)).toStrictEqual(['new', 'key'])
  })
})
