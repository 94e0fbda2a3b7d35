import { describe, expect, test } from 'vitest'
import { maxQueuedBytes, type SubscriberChannel, Subscription } from '../../src/backsource/subscription.ts'
import type { Packet } from '../../src/media/packet.ts'
import { audioHeader, interFrame, keyFrame, marks, metadata, sound, videoHeader } from '../support/packets.ts'

const source = 7

/** The channel to a worker; the test says how much waits in it. */
class FakeChannel implements SubscriberChannel {
  queuedBytes = 0
  #story: string[] = []

  sendRestart(number: number, sourceId: string): void {
    expect(number).toBe(source)
    this.#story.push(`restart ${sourceId}`)
  }

  sendIdle(number: number): void {
    expect(number).toBe(source)
    this.#story.push('idle')
  }

  sendReplay(number: number, edge: string): void {
    expect(number).toBe(source)
    this.#story.push(`replay-${edge}`)
  }

  sendPacket(number: number, packet: Packet): void {
    expect(number).toBe(source)
    this.#story.push(...marks([packet]))
  }

  take(): string[] {
    return this.#story.splice(0)
  }
}

function setUp() {
  const channel = new FakeChannel()
  const subscription = new Subscription(source, channel)
  const push = (...packets: Packet[]): string[] => {
    for (const packet of packets) subscription.onPacket(packet)
    return channel.take()
  }
  return { channel, subscription, push }
}

describe('a worker that keeps up', () => {
  test('gets everything in order', () => {
    const { channel, subscription, push } = setUp()
    subscription.onRestart('abc')
    expect(push(metadata('meta'), keyFrame(0), sound(10), interFrame(40))).toStrictEqual([
      'restart abc',
      ...['meta', '0', '10', '40'],
    ])
    subscription.onIdle()
    expect(channel.take()).toStrictEqual(['idle'])
    expect(subscription.dropped).toBe(0)
  })

  test('may have as much waiting as allowed', () => {
    const { channel, push } = setUp()
    channel.queuedBytes = maxQueuedBytes
    expect(push(keyFrame(0), interFrame(40))).toStrictEqual(['0', '40'])
  })
})

describe('a worker that does not keep up', () => {
  test('loses packets until a key frame, and gets that', () => {
    const { channel, subscription, push } = setUp()
    expect(push(keyFrame(0))).toStrictEqual(['0'])
    channel.queuedBytes = maxQueuedBytes + 1
    expect(push(interFrame(40), sound(50))).toStrictEqual([])
    channel.queuedBytes = 0
    expect(push(interFrame(80), sound(90), interFrame(120))).toStrictEqual([])
    expect(push(keyFrame(160), sound(170), interFrame(200))).toStrictEqual(['160', '170', '200'])
    expect(subscription.dropped).toBe(5)
  })

  test('loses a key frame too while too much waits', () => {
    const { channel, push } = setUp()
    channel.queuedBytes = maxQueuedBytes + 1
    expect(push(keyFrame(0))).toStrictEqual([])
    channel.queuedBytes = 0
    expect(push(interFrame(40), keyFrame(80))).toStrictEqual(['80'])
  })

  test('never loses headers, nor what becomes of the source', () => {
    const { channel, subscription, push } = setUp()
    push(keyFrame(0))
    channel.queuedBytes = maxQueuedBytes + 1
    expect(push(videoHeader('avc'), interFrame(40), audioHeader('aac'), metadata('meta'))).toStrictEqual([
      ...['avc', 'aac', 'meta'],
    ])
    subscription.onIdle()
    subscription.onRestart('def')
    expect(channel.take()).toStrictEqual(['idle', 'restart def'])
  })

  test('of a stream without video goes on as soon as it keeps up', () => {
    const { channel, push } = setUp()
    channel.queuedBytes = maxQueuedBytes + 1
    expect(push(sound(0))).toStrictEqual([])
    channel.queuedBytes = 0
    expect(push(sound(23), sound(46))).toStrictEqual(['23', '46'])
  })

  test('begins afresh with the next publisher', () => {
    const { channel, subscription, push } = setUp()
    push(keyFrame(0))
    channel.queuedBytes = maxQueuedBytes + 1
    push(interFrame(40))
    channel.queuedBytes = 0
    subscription.onRestart('def')
    expect(push(sound(0), keyFrame(10))).toStrictEqual(['restart def', '0', '10'])
  })
})

describe('what came before, once more,', () => {
  const past = [videoHeader('avc'), keyFrame(0), interFrame(40)]

  test('is sent as it was', () => {
    const { channel, subscription } = setUp()
    subscription.replay(past)
    expect(channel.take()).toStrictEqual(['replay-begin', 'avc', '0', '40', 'replay-end'])
  })

  test('is the headers alone where the rest would be more than may wait: others on the channel lose nothing by it', () => {
    const { channel, subscription, push } = setUp()
    channel.queuedBytes = maxQueuedBytes - 1
    subscription.replay(past)
    expect(channel.take()).toStrictEqual(['replay-begin', 'avc', 'replay-end'])
    expect(push(interFrame(80))).toStrictEqual(['80'])
  })
})
