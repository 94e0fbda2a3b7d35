import { describe, expect, test, vi } from 'vitest'
import { maxQueuedBytes, type PacketSink, RelayQueue } from '../../../src/backsource/relay/relay-queue.ts'
import { WeirError } from '../../../src/base/errors.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { eventually } from '../../support/eventually.ts'
import { interFrame, keyFrame, marks, metadata, sound, videoHeader } from '../../support/packets.ts'

const queueMs = 30_000

/** A client whose socket is full after each packet, until the test reads it; or never. */
class Sink implements PacketSink {
  readonly sent: Packet[] = []
  closed = false
  isSlow = false
  tooLong: Packet | null = null
  #drained: PromiseWithResolvers<void> | null = null

  send(packet: Packet): boolean {
    if (packet === this.tooLong) throw new WeirError('RTMP_MESSAGE_SIZE', 'too long')
    this.sent.push(packet)
    if (this.isSlow) this.#drained = Promise.withResolvers()
    return !this.isSlow
  }

  drained(): Promise<void> {
    return this.#drained?.promise ?? Promise.resolve()
  }

  /** The server reads what is in the socket; the queue writes on. */
  async read(): Promise<void> {
    this.#drained?.resolve()
    await Promise.resolve()
    await Promise.resolve()
  }

  fail(): void {
    this.closed = true
    this.#drained?.reject(new WeirError('RTMP_CLOSED', 'gone'))
  }

  take(): string[] {
    return marks(this.sent.splice(0))
  }
}

function setUp() {
  const queue = new RelayQueue()
  const sink = new Sink()
  queue.open(sink)
  const push = (...packets: Packet[]): void => {
    for (const packet of packets) queue.push(packet, queueMs)
  }
  return { queue, sink, push }
}

describe('a server that keeps up', () => {
  test('gets everything, and video from a key frame on', () => {
    const { queue, sink, push } = setUp()
    push(
      metadata('meta'),
      videoHeader('avc'),
      interFrame(0),
      sound(10),
      interFrame(40),
      keyFrame(80),
      interFrame(120),
    )
    expect(sink.take()).toStrictEqual(['meta', 'avc', '10', '80', '120'])
    expect(queue.dropped).toBe(0)
  })

  test('gets the next publisher from its key frame on', () => {
    const { queue, sink, push } = setUp()
    push(keyFrame(0))
    queue.restart()
    push(videoHeader('avc'), interFrame(40), keyFrame(80))
    expect(sink.take()).toStrictEqual(['0', 'avc', '80'])
  })

  test('gets nothing before it is connected, nor after', () => {
    const queue = new RelayQueue()
    const sink = new Sink()
    queue.push(keyFrame(0), queueMs)
    queue.open(sink)
    sink.closed = true
    queue.push(keyFrame(40), queueMs)
    queue.close()
    queue.push(keyFrame(80), queueMs)
    expect(sink.take()).toStrictEqual([])
  })

  test('misses what is too long for a message, and nothing else', () => {
    const { queue, sink, push } = setUp()
    const long = keyFrame(40)
    sink.tooLong = long
    push(keyFrame(0), long, interFrame(80))
    expect(sink.take()).toStrictEqual(['0', '80'])
    expect(queue.dropped).toBe(1)
  })
})

describe('a server that is slow', () => {
  test('gets everything in order when it reads', async () => {
    const { queue, sink, push } = setUp()
    sink.isSlow = true
    push(keyFrame(0), interFrame(40), sound(50))
    expect(sink.take()).toStrictEqual(['0'])
    await sink.read()
    expect(sink.take()).toStrictEqual(['40'])
    const emptied = vi.fn<() => void>()
    void queue.emptied().then(emptied)
    await Promise.resolve()
    expect(emptied).not.toHaveBeenCalled()
    sink.isSlow = false
    await sink.read()
    expect(sink.take()).toStrictEqual(['50'])
    await eventually(() => expect(emptied).toHaveBeenCalled())
    await queue.emptied()
  })

  test('loses what waits when that is longer than the queue, but no headers, and goes on at a key frame', async () => {
    const { queue, sink, push } = setUp()
    sink.isSlow = true
    push(keyFrame(0), interFrame(40), videoHeader('new'), interFrame(30_000), sound(30_040))
    expect(queue.dropped).toBe(0)
    push(interFrame(30_041))
    expect(queue.dropped).toBe(4)
    sink.isSlow = false
    push(interFrame(30_140), sound(30_150), metadata('meta'))
    await sink.read()
    push(sound(30_160), interFrame(30_180), keyFrame(30_220), sound(30_230))
    expect(sink.take()).toStrictEqual(['0', 'new', 'meta', '30220', '30230'])
    expect(queue.dropped).toBe(8)
  })

  test('of a stream without video goes on with the next sound', async () => {
    const { queue, sink, push } = setUp()
    sink.isSlow = true
    push(sound(0), sound(40), sound(30_041))
    expect(queue.dropped).toBe(2)
    sink.isSlow = false
    await sink.read()
    push(sound(30_060))
    expect(sink.take()).toStrictEqual(['0', '30060'])
  })

  test('costs no more than the queue has bytes', () => {
    const { queue, sink, push } = setUp()
    sink.isSlow = true
    push(keyFrame(0))
    const body = Buffer.alloc(1024 * 1024)
    for (let index = 0; index < maxQueuedBytes / body.length; index += 1) push(interFrame(40, body))
    expect(queue.dropped).toBe(0)
    push(interFrame(40, body))
    expect(queue.dropped).toBe(17)
  })

  test('is known for how long it has taken nothing', async () => {
    const { queue, sink, push } = setUp()
    sink.isSlow = true
    expect(queue.blocked).toBe(false)
    push(keyFrame(0), interFrame(40))
    const now = performance.now()
    expect(queue.blocked).toBe(true)
    expect(queue.blockedMs(now + 5000)).toBeGreaterThanOrEqual(5000)
    await sink.read()
    expect(queue.blockedMs(now + 5000)).toBeLessThanOrEqual(5000)
    sink.isSlow = false
    await sink.read()
    expect(queue.blocked).toBe(false)
    expect(queue.blockedMs(now + 5000)).toBe(0)
  })

  test('that is gone leaves nothing behind', async () => {
    const { queue, sink, push } = setUp()
    sink.isSlow = true
    push(keyFrame(0), interFrame(40))
    sink.fail()
    const emptied = queue.emptied()
    queue.close()
    await emptied
    const next = new Sink()
    queue.open(next)
    push(keyFrame(80))
    expect(next.take()).toStrictEqual(['80'])
  })
})
