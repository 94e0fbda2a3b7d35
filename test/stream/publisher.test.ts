import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import type { FromSender } from '../../src/ipc/contract.ts'
import type { SenderChannel } from '../../src/ipc/media-server.ts'
import { RelayClock } from '../../src/ipc/relay-clock.ts'
import type { PacketType } from '../../src/media/packet.ts'
import { Publisher, type PublisherOwner } from '../../src/stream/publisher.ts'
import { audioHeader, interFrame, keyFrame, marks, metadata, sound, videoHeader } from '../support/packets.ts'

const overfull = 17 * 1024 * 1024

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** The channel to a back-source: the test says how much waits in it. */
class FakeChannel {
  queuedBytes = 0
  flushes = 0
  #story: string[] = []

  send(message: FromSender): void {
    const { t } = message
    this.#story.push(t === 'hello' ? t : `${t} ${message.source}`)
  }

  sendMedia(_source: number, _type: PacketType, _flags: number, _timestamp: number, body: Buffer): void {
    this.#story.push(...marks([{ body }]))
  }

  flush(): void {
    this.flushes += 1
  }

  take(): string[] {
    return this.#story.splice(0)
  }

  get asChannel(): SenderChannel {
    return this as unknown as SenderChannel
  }
}

function setUp(latency: number | 'auto' = 'auto') {
  const owner = {
    isConnected: () => true,
    readOn: () => {},
    onAttached: vi.fn<PublisherOwner['onAttached']>(),
    onDrain: vi.fn<PublisherOwner['onDrain']>(),
    onRefused: vi.fn<PublisherOwner['onRefused']>(),
    onRevoked: vi.fn<PublisherOwner['onRevoked']>(),
  }
  const origin = { tcUrl: '', route: [] }
  const publisher = new Publisher(1, 'a/b/c', 'abc', origin, owner, new RelayClock(), latency, () => 1)
  const relay = (...packets: Parameters<Publisher['relay']>[0][]): void => {
    for (const packet of packets) publisher.relay(packet)
  }
  return { owner, publisher, relay, channel: new FakeChannel() }
}

describe('a publisher', () => {
  test('is granted when a back-source attaches, and relays what comes', () => {
    const { owner, publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    expect(owner.onAttached).toHaveBeenCalledTimes(1)
    expect(publisher.source).toBe(7)
    relay(metadata('meta'), videoHeader('avc'), keyFrame(0), sound(10), interFrame(40))
    expect(channel.take()).toStrictEqual(['restart 7', 'meta', 'avc', '0', '10', '40'])
    expect(publisher).toMatchObject({ packets: 5, dropped: 0, started: true })
  })

  test('relays with a flush in time', () => {
    const { publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    relay(sound(0))
    vi.advanceTimersByTime(39)
    expect(channel.flushes).toBe(0)
    relay(interFrame(20))
    vi.advanceTimersByTime(0)
    expect(channel.flushes).toBe(1)
  })

  test('lets the encoder rest between reads as mr_latency says, and relays at once what a read brought', () => {
    const { publisher, relay, channel } = setUp(350)
    expect(publisher.readWaitMs).toBe(0)
    publisher.attach(channel.asChannel, 7)
    expect(publisher.readWaitMs).toBe(350)
    relay(sound(0))
    vi.advanceTimersByTime(0)
    expect(channel.flushes).toBe(1)
  })

  test('knows when the last packet came', () => {
    const { publisher, relay } = setUp()
    expect(publisher.started).toBe(false)
    vi.advanceTimersByTime(500)
    relay(sound(0))
    expect(publisher.lastPacketAt).toBe(monotonicMs())
  })

  test('tells the back-source when it ends', () => {
    const { publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    publisher.end()
    publisher.end()
    relay(keyFrame(0))
    expect(channel.take()).toStrictEqual(['restart 7', 'idle 7'])
    expect(publisher.channel).toBeNull()
  })
})

describe('a back-source that comes late', () => {
  test('gets the headers, then video from the next key frame on; sound at once', () => {
    const { publisher, relay, channel } = setUp()
    relay(metadata('meta'), videoHeader('avc'), audioHeader('aac'), keyFrame(0), interFrame(40))
    expect(publisher.dropped).toBe(5)
    publisher.attach(channel.asChannel, 7)
    relay(interFrame(80), sound(90), interFrame(120), keyFrame(160), interFrame(200))
    expect(channel.take()).toStrictEqual(['restart 7', 'meta', 'avc', 'aac', '90', '160', '200'])
  })

  test('needs no key frame of a stream without video', () => {
    const { publisher, relay, channel } = setUp()
    relay(audioHeader('aac'), sound(0))
    publisher.attach(channel.asChannel, 7)
    relay(sound(23))
    expect(channel.take()).toStrictEqual(['restart 7', 'aac', '23'])
  })

  test('after one that was lost goes on with the newest headers', () => {
    const { owner, publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    relay(videoHeader('avc'), keyFrame(0))
    publisher.detach()
    relay(videoHeader('avc2'), keyFrame(40))
    const next = new FakeChannel()
    publisher.attach(next.asChannel, 7)
    relay(interFrame(80), keyFrame(120))
    expect(next.take()).toStrictEqual(['restart 7', 'avc2', '120'])
    expect(owner.onAttached).toHaveBeenCalledTimes(2)
  })

  test('tells one that still has the stream to let it go', () => {
    const { publisher, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    channel.take()
    const next = new FakeChannel()
    publisher.attach(next.asChannel, 8)
    expect(channel.take()).toStrictEqual(['gone 7'])
    expect(next.take()).toStrictEqual(['restart 8'])
  })

  test('is told nothing of the kind when it is the same one again', () => {
    const { publisher, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    publisher.attach(channel.asChannel, 7)
    expect(channel.take()).toStrictEqual(['restart 7', 'restart 7'])
  })
})

describe('a back-source that does not keep up', () => {
  test('loses packets to the next key frame, never headers', () => {
    const { publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    relay(keyFrame(0))
    channel.take()
    channel.queuedBytes = overfull
    relay(interFrame(40), sound(50), videoHeader('avc'), keyFrame(80))
    expect(channel.take()).toStrictEqual(['avc'])
    channel.queuedBytes = 0
    relay(interFrame(120), sound(130), keyFrame(160), interFrame(200))
    expect(channel.take()).toStrictEqual(['130', '160', '200'])
    expect(publisher.dropped).toBe(4)
  })

  test('slows the encoder down, for a while', () => {
    const { owner, publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    vi.advanceTimersByTime(10)
    channel.queuedBytes = 1024 * 1024
    relay(keyFrame(0))
    expect(channel.flushes).toBe(1)
    expect(publisher.full(monotonicMs())).toBe(true)
    vi.advanceTimersByTime(2000)
    expect(publisher.full(monotonicMs())).toBe(false)
    expect(owner.onDrain).not.toHaveBeenCalled()
  })

  test('lets the encoder go on when it has caught up', () => {
    const { owner, publisher, relay, channel } = setUp()
    publisher.attach(channel.asChannel, 7)
    vi.advanceTimersByTime(10)
    channel.queuedBytes = 1024 * 1024
    relay(keyFrame(0))
    channel.queuedBytes = 0
    publisher.onDrain()
    expect(publisher.full(monotonicMs())).toBe(false)
    expect(owner.onDrain).toHaveBeenCalledTimes(1)
    publisher.onDrain()
    expect(owner.onDrain).toHaveBeenCalledTimes(1)
  })

  test('holds no encoder once it is lost, or another has taken its place', () => {
    for (const leave of [
      (publisher: Publisher) => publisher.detach(),
      (publisher: Publisher) => publisher.attach(new FakeChannel().asChannel, 7),
    ]) {
      const { owner, publisher, relay, channel } = setUp()
      publisher.attach(channel.asChannel, 7)
      vi.advanceTimersByTime(10)
      channel.queuedBytes = 1024 * 1024
      relay(keyFrame(0))
      leave(publisher)
      expect(publisher.full(monotonicMs())).toBe(false)
      expect(owner.onDrain).toHaveBeenCalledTimes(1)
    }
  })
})
