import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { LiveStream } from '../../src/backsource/live-stream.ts'
import type { SubscriberChannel } from '../../src/backsource/subscription.ts'
import type { Received } from '../../src/ipc/contract.ts'
import { AmfEcmaArray } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import type { Packet } from '../../src/media/packet.ts'
import { avcSamples } from '../media/avc-samples.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from '../media/ts/packets.ts'
import { parseTs } from '../media/ts/ts-parser.ts'
import { configOf, vhostConfigOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { audioHeader, interFrame, keyFrame, marks, metadata, sound, videoHeader } from '../support/packets.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The channel to a worker that keeps up; what it gets, in order. */
class Worker implements SubscriberChannel {
  queuedBytes = 0
  readonly packets: Packet[] = []
  #story: string[] = []

  sendRestart(_source: number, sourceId: string): void {
    this.#story.push(`restart ${sourceId}`)
  }

  sendIdle(): void {
    this.#story.push('idle')
  }

  sendReplay(_source: number, edge: string): void {
    this.#story.push(`replay-${edge}`)
  }

  sendPacket(_source: number, packet: Packet): void {
    this.packets.push(packet)
    this.#story.push(...marks([packet]))
  }

  take(): string[] {
    return this.#story.splice(0)
  }

  get lastTime(): number | undefined {
    return this.packets.at(-1)?.timestamp
  }
}

function setUp(vhost = '', before?: Received) {
  const { logger, lines } = recordingLogger()
  const live = new LiveStream(
    '__defaultVhost__/live/x',
    7,
    vhostConfigOf(vhost),
    logger,
    {
      config: configOf(''),
      ownToken: '',
      serverId: 's1',
      hooks: { onDvr: () => {}, onHls: () => {} },
      onDisconnect: () => {},
    },
    before,
  )
  const push = (...packets: Packet[]): void => {
    for (const packet of packets) live.push(packet)
  }
  return { live, lines, push }
}

function subscribed(live: LiveStream): Worker {
  const worker = new Worker()
  live.subscribe(worker)
  return worker
}

/** Metadata that asks for absolute timestamps. */
function atcMetadata(): Packet {
  return metadata(encodeAmf0('onMetaData', new AmfEcmaArray([['bravo_atc', true]])))
}

describe('a subscriber', () => {
  test('gets headers and GOP, then what comes, then that the publisher left', () => {
    const { live, push } = setUp()
    live.publish('abc')
    push(videoHeader('avc'), keyFrame(0), sound(10))
    const worker = subscribed(live)
    push(interFrame(40))
    live.unpublish()
    live.unpublish()
    expect(worker.take()).toStrictEqual(['restart abc', 'avc', '0', '10', '40', 'idle'])
  })

  test('that subscribes again gets everything once', () => {
    const { live, push } = setUp()
    live.publish('abc')
    push(keyFrame(0))
    const worker = subscribed(live)
    worker.take()
    live.subscribe(worker)
    push(interFrame(40))
    expect(worker.take()).toStrictEqual(['restart abc', '0', '40'])
    expect(live.status().players).toBe(1)
  })

  test('of a stream that nobody publishes hears so', () => {
    const { live } = setUp()
    expect(subscribed(live).take()).toStrictEqual(['idle'])
    live.publish('abc')
    expect(subscribed(live).take()).toStrictEqual(['restart abc'])
  })

  test('may have the past once more, and others do not get it', () => {
    const { live, push } = setUp()
    live.publish('abc')
    push(videoHeader('avc'), keyFrame(0))
    const [worker, other] = [subscribed(live), subscribed(live)]
    worker.take()
    other.take()
    push(interFrame(40))
    live.replay(worker)
    push(interFrame(80))
    const past = ['replay-begin', 'avc', '0', '40', 'replay-end']
    expect(worker.take()).toStrictEqual(['40', ...past, '80'])
    expect(other.take()).toStrictEqual(['40', '80'])
  })

  test('has no past to get once the publisher left', () => {
    const { live, push } = setUp()
    live.publish('abc')
    push(videoHeader('avc'), keyFrame(0))
    const worker = subscribed(live)
    live.unpublish()
    worker.take()
    live.replay(worker)
    expect(worker.take()).toStrictEqual(['replay-begin', 'replay-end'])
    live.replay(new Worker())
  })

  test('that unsubscribes gets nothing more', () => {
    const { live, push } = setUp()
    live.publish('abc')
    const worker = subscribed(live)
    worker.take()
    live.unsubscribe(worker)
    live.unsubscribe(worker)
    push(keyFrame(0))
    live.unpublish()
    expect(worker.take()).toStrictEqual([])
    expect(live.status().players).toBe(0)
  })

  test('that lost packets is named in the log when it leaves, once', () => {
    const { live, push, lines } = setUp()
    live.publish('abc')
    const worker = subscribed(live)
    worker.queuedBytes = Number.POSITIVE_INFINITY
    push(keyFrame(0), interFrame(40))
    expect(live.status().packetsDropped).toBe(2)
    live.unsubscribe(worker)
    expect(lines.filter(({ level }) => level === 40)).toMatchObject([{ dropped: 2, stream: 'live/x' }])
  })
})

describe('what the API is told', () => {
  const avcConfig = Buffer.from('170000000001' + '4d400cffe10004674d400c01000468ee3c80', 'hex')
  const aacConfig = Buffer.of(0xaf, 0, 0x12, 0x10)

  test('is what the publisher sends, and how much', () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { live, push } = setUp()
    expect(live.info()).toStrictEqual({
      source: 7,
      stream: '__defaultVhost__/live/x',
      sourceId: '',
      tcUrl: '',
      publishMs: 0,
      frames: 0,
      recvBytes: 0,
      video: null,
      audio: null,
      hls: null,
      dvr: null,
      forwards: [],
    })
    live.publish('abc', { tcUrl: 'rtmp://h/live', route: [] })
    push(videoHeader(avcConfig), audioHeader(aacConfig), keyFrame(0), sound(10), interFrame(40))
    vi.advanceTimersByTime(1500)
    expect(live.info()).toMatchObject({
      sourceId: 'abc',
      tcUrl: 'rtmp://h/live',
      publishMs: 1500,
      frames: 2,
      recvBytes: avcConfig.length + aacConfig.length + 5,
      video: { codec: 'H264' },
      audio: { codec: 'AAC', sampleRate: 44_100, channels: 2, profile: 'LC' },
    })
    live.unpublish()
    live.publish('def')
    expect(live.info()).toMatchObject({ sourceId: 'def', publishMs: 0, frames: 2, video: null, audio: null })
  })

  test('is known of codecs without a header too', () => {
    const { live, push } = setUp()
    live.publish('abc')
    push(sound(0, Buffer.of(0x2f, 0xff)))
    expect(live.info().audio).toMatchObject({ codec: 'MP3', sampleRate: 44_100, channels: 2 })
  })
})

test('what came in elsewhere before is counted on', () => {
  const { live, push } = setUp('', { recvBytes: 1000, frames: 50 })
  live.publish('abc')
  push(keyFrame(0, Buffer.alloc(20)))
  expect(live.info()).toMatchObject({ recvBytes: 1020, frames: 51 })
  expect(live.status().bytesIn).toBe(1020)
  expect(live.bytesIn).toBe(20)
})

describe('the status', () => {
  test('tells who publishes what', () => {
    const { live, push } = setUp()
    expect(live.status()).toMatchObject({ publishing: false, sourceId: '', video: null, audio: null })
    live.publish('abc')
    push(videoHeader(Buffer.from('170000000001', 'hex')), keyFrame(0))
    subscribed(live)
    expect(live.status()).toStrictEqual({
      stream: '__defaultVhost__/live/x',
      source: 7,
      sourceId: 'abc',
      publishing: true,
      players: 1,
      video: 'H264',
      audio: null,
      bytesIn: 7,
      bytesOut: 0,
      packetsIn: 2,
      packetsDropped: 0,
    })
    live.unpublish()
    expect(live.status()).toMatchObject({ publishing: false, sourceId: '' })
  })
})

describe('settings', () => {
  test('hold for the running stream', () => {
    const { live, push } = setUp()
    live.publish('abc')
    push(keyFrame(0))
    live.config = vhostConfigOf('play { gop_cache off; time_jitter off; }')
    const worker = subscribed(live)
    worker.take()
    push(interFrame(9000))
    expect(worker.take()).toStrictEqual(['9000'])
    expect(worker.lastTime).toBe(9000)
  })
})

describe('atc_auto', () => {
  /** The time that a frame gets which the encoder sent far from the start. */
  function timeAfter(vhost: string, ...before: Packet[]): number | undefined {
    const { live, push } = setUp(vhost)
    live.publish('abc')
    const worker = subscribed(live)
    push(...before, keyFrame(5_000_000))
    return worker.lastTime
  }

  test.each<[string, string, Packet, number]>([
    ['off, with metadata that asks', 'play { atc_auto off; }', atcMetadata(), 0],
    ['on, with metadata that asks', 'play { atc_auto on; }', atcMetadata(), 5_000_000],
    ['on, with metadata that does not ask', 'play { atc_auto on; }', metadata(encodeAmf0('onMetaData')), 0],
    ['on, with metadata that is broken', 'play { atc_auto on; }', metadata('broken'), 0],
    ['off, but atc on', 'play { atc on; atc_auto off; }', metadata('broken'), 5_000_000],
  ])('%s', (_, vhost, packet, expected) => {
    expect(timeAfter(vhost, packet)).toBe(expected)
  })

  test('is logged once, however often the metadata comes', () => {
    const { live, push, lines } = setUp('play { atc_auto on; }')
    live.publish('abc')
    push(atcMetadata(), atcMetadata())
    expect(lines.filter(({ msg }) => msg.includes('atc')).length).toBe(1)
  })

  test('stays in force over a reload', () => {
    const { live, push } = setUp('play { atc_auto on; }')
    live.publish('abc')
    const worker = subscribed(live)
    push(atcMetadata(), keyFrame(5_000_000))
    live.config = vhostConfigOf('play { atc_auto on; queue_length 5; }')
    push(interFrame(6_000_000))
    expect(worker.lastTime).toBe(6_000_000)
  })

  test('ends when a reload turns it off', () => {
    const { live, push } = setUp('play { atc_auto on; }')
    live.publish('abc')
    const worker = subscribed(live)
    push(atcMetadata(), keyFrame(5_000_000))
    live.config = vhostConfigOf('play { atc_auto off; }')
    push(interFrame(6_000_000))
    expect(worker.lastTime).toBe(5_000_040)
  })

  test('does not hold for the next publisher, which has not asked', () => {
    const { live, push } = setUp('play { atc_auto on; }')
    live.publish('abc')
    const worker = subscribed(live)
    push(atcMetadata(), keyFrame(5_000_000))
    live.unpublish()
    live.publish('def')
    push(keyFrame(9_000_000))
    expect(worker.lastTime).toBe(5_000_040)
  })
})

describe('HLS', () => {
  const hls = (dir: string, more = '') => `hls { enabled on; hls_fragment 1; hls_path ${dir}; ${more} }`

  test('is written when it is enabled, and complete when the stream is closed', async () => {
    const dir = tempDir()
    const { live, push } = setUp(hls(dir))
    live.publish('abc')
    push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10), avcFrame(false, 40))
    expect(live.status().hls).toMatchObject({ enabled: true, fragment: 1 })
    await live.close()
    expect(readdirSync(join(dir, 'live')).sort()).toEqual(['x-0.ts', 'x.m3u8'])
  })

  test('begins with the last key frame when a reload enables it, and ends when it does not', async () => {
    const dir = tempDir()
    const { live, push } = setUp()
    live.publish('abc')
    push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10))
    expect(live.status().hls).toBeUndefined()
    live.config = vhostConfigOf(hls(dir))
    push(avcFrame(false, 40))
    live.config = vhostConfigOf('')
    push(avcFrame(false, 80))
    await live.close()
    const { pes } = parseTs(readFileSync(join(dir, 'live/x-0.ts')))
    expect(pes.filter(({ pid }) => pid === 0x100)).toHaveLength(2)
  })

  test('goes on elsewhere when a reload says so', async () => {
    const [before, after] = [tempDir(), tempDir()]
    const { live, push } = setUp(hls(before))
    live.publish('abc')
    push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10))
    live.config = vhostConfigOf(hls(after))
    push(avcFrame(false, 40))
    await live.close()
    for (const dir of [before, after])
      expect(readdirSync(join(dir, 'live')).sort()).toEqual(['x-0.ts', 'x.m3u8'])
  })

  test('that begins anew in the same place goes on behind what there is', async () => {
    const dir = tempDir()
    const { live, push } = setUp(hls(dir))
    live.publish('abc')
    push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10))
    live.config = vhostConfigOf(hls(dir, 'hls_acodec an;'))
    push(avcFrame(false, 40))
    live.config = vhostConfigOf(hls(dir))
    await live.close()
    expect(readdirSync(join(dir, 'live')).sort()).toEqual(['x-0.ts', 'x-1.ts', 'x-2.ts', 'x.m3u8'])
    const tracks = [0, 1, 2].map(
      (seq) => parseTs(readFileSync(join(dir, `live/x-${seq}.ts`))).pmts[0]!.streams.length,
    )
    expect(tracks).toEqual([2, 1, 2])
  })

  test('is not begun anew by a reload that does not concern it', async () => {
    const dir = tempDir()
    const { live, push } = setUp(hls(dir))
    live.publish('abc')
    push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10))
    live.config = vhostConfigOf(`${hls(dir, 'hls_window 20;')} play { queue_length 5; }`)
    push(avcFrame(false, 40))
    await live.close()
    expect(readdirSync(join(dir, 'live')).sort()).toEqual(['x-0.ts', 'x.m3u8'])
  })

  test('with names that leave its directory is not written, and the log says why', async () => {
    const { live, lines, push } = setUp(hls(tempDir(), 'hls_m3u8_file ../x.m3u8;'))
    live.publish('abc')
    push(avcHeader(), avcFrame(true, 0))
    await live.close()
    expect(lines).toContainEqual(expect.objectContaining({ code: 'PATH_TEMPLATE', level: 50 }))
  })

  test('is not deleted while the stream is published', async () => {
    const dir = tempDir()
    const { live, push } = setUp(hls(dir))
    live.publish('abc')
    push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10))
    live.dispose()
    live.unpublish()
    await live.close()
    expect(readdirSync(join(dir, 'live')).sort()).toEqual(['x-0.ts', 'x.m3u8'])
  })
})

describe('the log', () => {
  const avc = videoHeader(Buffer.from(`1700000000${avcSamples[0]!.config}`, 'hex'))
  const frame = (hex: string): Packet => keyFrame(0, Buffer.from(hex, 'hex'))
  const aac = audioHeader(Buffer.from('af001210', 'hex'))
  const told = (lines: readonly { msg: string }[]): string[] =>
    lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('source: video') || msg === 'source: audio')

  test('tells what each publisher sends, once', () => {
    const { live, lines, push } = setUp()
    live.publish('c1')
    push(avc, aac, frame('1701000000'), sound(10, Buffer.from('af0121', 'hex')), avc, aac)
    const common = { sid: 'c1', stream: 'live/x' }
    const video = { codec: 'H264', profile: 'Constrained Baseline', level: '1.3', width: 320, height: 240 }
    const audio = { codec: 'AAC', sampleRate: 44100, channels: 2 }
    expect(lines).toMatchObject([
      { msg: 'source: publisher attached', ...common },
      { msg: 'source: video', ...common, video },
      { msg: 'source: audio', ...common, audio },
    ])
    live.publish('c2')
    push(avc)
    expect(told(lines)).toStrictEqual(['source: video', 'source: audio', 'source: video'])
  })

  test('tells the codec of a stream without sequence headers, and when it changes', () => {
    const { live, lines, push } = setUp()
    live.publish('c1')
    push(frame('1400'), frame('1400'), avc)
    expect(lines[1]!.video).toStrictEqual({ codec: 'VP6' })
    expect(lines[2]!.video).toMatchObject({ codec: 'H264', width: 320 })
  })

  test('has an end when a publisher changes its codec all the time', () => {
    const { live, lines, push } = setUp()
    live.publish('c1')
    for (let change = 0; change < 100; change += 1) {
      push(videoHeader(Buffer.from(change % 2 ? '1c0000000001' : '1d0000000081', 'hex')))
    }
    expect(told(lines).length).toBe(10)
  })
})
