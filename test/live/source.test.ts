import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Source, type SourceConsumer, type SourceOptions } from '../../src/live/source.ts'
import type { Packet } from '../../src/media/packet.ts'
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

const options: SourceOptions = {
  timeJitter: 'full',
  atc: false,
  gopCache: true,
  gopCacheLimits: { maxDurationMs: 10_000, maxBytes: 1000 },
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets so much time go by that a publish is not given out whole any more. */
function endOpening(): void {
  vi.advanceTimersByTime(2001)
}

/** A consumer that writes down what it hears: `restart ID`, `idle`, or a packet's mark. */
class Recorder implements SourceConsumer {
  readonly packets: Packet[] = []
  #story: string[] = []

  onRestart(sourceId: string): void {
    this.#story.push(`restart ${sourceId}`)
  }

  onIdle(): void {
    this.#story.push('idle')
  }

  onPacket(packet: Packet): void {
    this.packets.push(packet)
    this.#story.push(...marks([packet]))
  }

  /** What it heard since the last call. */
  take(): string[] {
    return this.#story.splice(0)
  }
}

function publishing(changed: Partial<SourceOptions> = {}): Source {
  const source = new Source({ ...options, ...changed })
  source.publish('p1')
  for (const packet of [metadata('meta'), videoHeader('avc'), audioHeader('aac')]) source.push(packet)
  source.push(keyFrame(0, 'key'))
  source.push(sound(10, 'sound'))
  endOpening()
  return source
}

function joined(source: Source): Recorder {
  const recorder = new Recorder()
  source.join(recorder)
  return recorder
}

describe('a consumer', () => {
  test('that joins gets headers and the GOP, then each packet', () => {
    const source = publishing()
    const recorder = joined(source)
    expect(recorder.take()).toStrictEqual(['restart p1', 'meta', 'avc', 'aac', 'key', 'sound'])
    source.push(interFrame(40))
    expect(recorder.take()).toStrictEqual(['40'])
  })

  test('without gop_cache gets headers, then what comes', () => {
    const source = publishing({ gopCache: false })
    const recorder = joined(source)
    source.push(interFrame(40))
    expect(recorder.take()).toStrictEqual(['restart p1', 'meta', 'avc', 'aac', '40'])
  })

  test('gets the headers that the cached GOP was made with, and later ones where they came', () => {
    const source = publishing()
    source.push(videoHeader('avc2'))
    source.push(metadata('meta2'))
    source.push(interFrame(40))
    expect(joined(source).take()).toStrictEqual([
      'restart p1',
      ...['meta', 'avc', 'aac', 'key', 'sound', 'avc2', 'meta2', '40'],
    ])
    source.push(keyFrame(80))
    expect(joined(source).take()).toStrictEqual(['restart p1', 'meta2', 'avc2', 'aac', '80'])
  })

  test('gets the newest headers when there is no GOP', () => {
    const source = publishing()
    source.push(interFrame(40, Buffer.alloc(1000)))
    source.push(videoHeader('avc2'))
    expect(joined(source).take()).toStrictEqual(['restart p1', 'meta', 'avc2', 'aac'])
  })

  test('that joins just after the begin misses nothing, key frame or not', () => {
    const source = new Source({ ...options, gopCache: false })
    source.publish('p1')
    for (const packet of [audioHeader('aac'), sound(0), keyFrame(10), sound(20)]) source.push(packet)
    const early = joined(source)
    expect(early.take()).toStrictEqual(['restart p1', 'aac', '0', '10', '20'])
    endOpening()
    expect(joined(source).take()).toStrictEqual(['restart p1', 'aac'])
  })

  test('gets no more than the bound of the cache of a begin', () => {
    const source = new Source(options)
    source.publish('p1')
    source.push(sound(0, 'x'.repeat(900)))
    source.push(sound(10, 'y'.repeat(900)))
    expect(joined(source).take()).toStrictEqual(['restart p1'])
  })

  test('that left gets nothing', () => {
    const source = publishing()
    const recorder = joined(source)
    recorder.take()
    expect(source.consumers).toBe(1)
    source.leave(recorder)
    expect(source.consumers).toBe(0)
    source.push(interFrame(40))
    source.unpublish()
    expect(recorder.take()).toStrictEqual([])
  })

  test('may leave in the middle of a packet', () => {
    const source = publishing()
    const [one, other] = [new Recorder(), new Recorder()]
    const leaver: SourceConsumer = {
      onRestart: () => {},
      onIdle: () => {},
      onPacket: () => source.leave(leaver),
    }
    for (const consumer of [one, leaver, other]) source.join(consumer)
    for (const recorder of [one, other]) recorder.take()
    source.push(interFrame(40))
    source.push(interFrame(80))
    for (const recorder of [one, other]) expect(recorder.take()).toStrictEqual(['40', '80'])
  })
})

describe('a source', () => {
  test('without a publisher has nothing for who joins', () => {
    const source = new Source(options)
    const recorder = joined(source)
    expect(recorder.take()).toStrictEqual([])
    source.publish('p1')
    source.push(keyFrame(0))
    expect(recorder.take()).toStrictEqual(['restart p1', '0'])
  })

  test('whose publisher leaves tells its consumers, and shows nothing of the past', () => {
    const source = publishing()
    const recorder = joined(source)
    recorder.take()
    expect(source.sourceId).toBe('p1')
    source.unpublish()
    expect(source.sourceId).toBe('')
    expect(recorder.take()).toStrictEqual(['idle'])
    expect(joined(source).take()).toStrictEqual([])
  })

  test('goes on with the next publisher: nothing of the one before is left, time goes on', () => {
    const source = publishing()
    const recorder = joined(source)
    source.push(interFrame(40))
    source.unpublish()
    recorder.take()
    source.publish('p2')
    source.push(videoHeader('new', 77_000))
    source.push(keyFrame(77_000, 'key2'))
    source.push(interFrame(77_040, 'inter2'))
    expect(recorder.take()).toStrictEqual(['restart p2', 'new', 'key2', 'inter2'])
    expect(recorder.packets.slice(-3).map(({ timestamp }) => timestamp)).toStrictEqual([40, 80, 120])
    expect(joined(source).take()).toStrictEqual(['restart p2', 'new', 'key2', 'inter2'])
  })

  test('can be taken over from a publisher that has not left', () => {
    const source = publishing()
    const recorder = joined(source)
    recorder.take()
    source.publish('p2')
    expect(source.sourceId).toBe('p2')
    expect(recorder.take()).toStrictEqual(['restart p2'])
    expect(joined(source).take()).toStrictEqual(['restart p2'])
  })

  test('counts what came', () => {
    const source = publishing()
    expect(source.packetsIn).toBe(5)
    expect(source.bytesIn).toBe('meta avc aac key sound'.replaceAll(' ', '').length)
  })
})

describe('timestamps', () => {
  test('start at 0; headers and data take the time of the stream and do not move it', () => {
    const source = new Source(options)
    source.publish('p1')
    const recorder = joined(source)
    source.push(metadata('meta', 0))
    source.push(keyFrame(5000))
    source.push(interFrame(5040))
    source.push(videoHeader('avc', 0))
    source.push(cuePoint(0))
    source.push(interFrame(5080))
    expect(recorder.packets.map(({ timestamp }) => timestamp)).toStrictEqual([0, 0, 40, 40, 40, 80])
  })

  test('that are right already cost no copy of the packet', () => {
    const source = new Source(options)
    source.publish('p1')
    const recorder = joined(source)
    const packet = keyFrame(0)
    source.push(packet)
    expect(recorder.packets[0]).toBe(packet)
  })

  test('pass as sent with atc, whatever time_jitter says', () => {
    const source = new Source({ ...options, atc: true })
    source.publish('p1')
    const recorder = joined(source)
    source.push(keyFrame(1_000_000))
    source.push(interFrame(1_002_000))
    expect(recorder.packets.map(({ timestamp }) => timestamp)).toStrictEqual([1_000_000, 1_002_000])
  })

  test('pass as sent from when atc is turned on for the stream', () => {
    const source = publishing()
    const recorder = joined(source)
    source.options = { ...options, atc: true }
    source.push(interFrame(9000))
    expect(recorder.packets.at(-1)?.timestamp).toBe(9000)
  })
})

describe('options at run time', () => {
  test('gop_cache off drops what is cached', () => {
    const source = publishing()
    source.options = { ...options, gopCache: false }
    expect(joined(source).take()).toStrictEqual(['restart p1', 'meta', 'avc', 'aac'])
    source.push(keyFrame(40))
    expect(joined(source).take()).toStrictEqual(['restart p1', 'meta', 'avc', 'aac'])
  })

  test('gop_cache on fills from the next key frame', () => {
    const source = publishing({ gopCache: false })
    source.options = options
    source.push(interFrame(40))
    source.push(keyFrame(80))
    expect(joined(source).take()).toStrictEqual(['restart p1', 'meta', 'avc', 'aac', '80'])
  })

  test('the limits of the cache', () => {
    const source = publishing()
    source.options = { ...options, gopCacheLimits: { maxDurationMs: 10_000, maxBytes: 9 } }
    source.push(interFrame(40))
    expect(joined(source).take()).toStrictEqual(['restart p1', 'meta', 'avc', 'aac'])
  })

  test('time_jitter', () => {
    const source = publishing()
    const recorder = joined(source)
    source.options = { ...options, timeJitter: 'off' }
    source.push(interFrame(9000))
    expect(recorder.packets.at(-1)?.timestamp).toBe(9000)
  })
})
