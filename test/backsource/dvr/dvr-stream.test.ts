import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dvrListener } from '../../../src/backsource/dvr/dvr-stream.ts'
import { amfEcmaArray } from '../../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import { dataType, metadataFlag, type Packet } from '../../../src/media/packet.ts'
import { readRecordingFacts } from '../../../src/recordings/head.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader, packetOf } from '../../media/ts/packets.ts'
import { eventually } from '../../support/eventually.ts'
import { silentLogger } from '../../support/logger.ts'
import { tempDir } from '../../support/temp-dir.ts'
import {
  bodies,
  dvrConfig,
  frames,
  headers,
  headOf,
  otherVideo,
  pictureTimes,
  setUp,
  tagsIn,
} from './set-up.ts'

describe('a session', () => {
  test('is one file with all packets, its duration, its size and an index of its key frames', async () => {
    const { dvr, publish, files, path, recorded } = setUp()
    publish(3)
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
    const file = path('show.flv')
    const { facts, fileBytes, points } = headOf(file)
    expect(facts).toMatchObject({
      app: 'live',
      stream: 'show',
      durationMs: 3010,
      video: 'H264',
      audio: 'AAC',
    })
    expect(fileBytes).toBe(statSync(file).size)
    const tags = tagsIn(file)
    const published = [...headers, ...frames(0, 3)]
    expect(tags.map(({ type, timestamp, body }) => ({ type, timestamp, body }))).toEqual(
      published.map(({ type, timestamp, body }) => ({ type, timestamp, body })),
    )
    expect(points.map(({ timeMs }) => timeMs)).toEqual([0, 1000, 2000])
    for (const { at } of points) expect(tags.find(({ offset }) => offset === at)?.body[0]).toBe(0x17)
    expect(recorded).toMatchObject([
      { vhost: '__defaultVhost__', app: 'live', stream: 'show', file, cwd: process.cwd() },
    ])
    expect(recorded[0]).toMatchObject({ durationMs: 3010, bytes: fileBytes })
  })

  test('of each publish has a file of its own, and none takes the place of another', async () => {
    const { dvr, publish, files, path, told } = setUp()
    publish(1)
    publish(2)
    publish(3)
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show-2.flv', 'show.flv'])
    expect(told).toEqual(['client1', 'client2', 'client3'])
    expect(
      ['show.flv', 'show-1.flv', 'show-2.flv'].map((name) => headOf(path(name)).facts.durationMs),
    ).toEqual([1010, 2010, 3010])
  })

  test('is under no name that it does not keep while it is written', async () => {
    const { dvr, push, files, complaints } = setUp()
    dvr.onRestart()
    push(...headers, ...frames(0, 1))
    await eventually(() => expect(dvr.status.recording).toBe(true))
    expect(files()).toMatchObject([expect.stringMatching(/^show\.flv\.\d+(-\d+)?\.\d+\.tmp$/)])
    expect(dvr.status).toMatchObject({
      plan: 'session',
      file: expect.stringMatching(/live\/show\.flv$/),
      files: 0,
    })
    expect(dvr.status.durationMs).toBe(1010)
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
    expect(dvr.status).toEqual({
      ...{ enabled: true, plan: 'session', recording: false, file: '', bytes: 0, durationMs: 0 },
      ...{ files: 1, errors: 0 },
    })
    expect(complaints()).toEqual([])
  })

  test('that has nothing in it is no file', async () => {
    const { dvr, push, dir } = setUp()
    dvr.onRestart()
    push(...headers)
    dvr.onIdle()
    await dvr.close()
    expect(readdirSync(dir)).toEqual([])
  })

  test('begins with a key frame and has the audio before it', async () => {
    const { dvr, push, path } = setUp()
    dvr.onRestart()
    push(...headers, aacFrame(0), avcFrame(false, 10), aacFrame(20), avcFrame(true, 40), avcFrame(false, 80))
    await dvr.close()
    expect(bodies(tagsIn(path('show.flv')))).toEqual(
      bodies([...headers, aacFrame(0), aacFrame(20), avcFrame(true, 40), avcFrame(false, 80)]),
    )
  })

  test('begins with any frame if it does not wait for a key frame', async () => {
    const { dvr, push, path } = setUp('dvr_wait_keyframe off;')
    dvr.onRestart()
    push(...headers, avcFrame(false, 0), avcFrame(true, 40))
    await dvr.close()
    expect(pictureTimes(path('show.flv'))).toEqual([0, 40])
  })

  test.each([
    ['audio', [aacHeader(), aacFrame(0), aacFrame(23)], { video: null, audio: 'AAC', durationMs: 46 }],
    [
      'video',
      [avcHeader(), avcFrame(true, 0), avcFrame(false, 50)],
      { video: 'H264', audio: null, durationMs: 100 },
    ],
    [
      'a codec that nobody knows',
      [packetOf(8, 0, 'b2 aabb'), packetOf(8, 20, 'b2 aabb')],
      { audio: 'Speex' },
    ],
  ])('of %s alone says so', async (_name, packets, facts) => {
    const { dvr, push, path } = setUp()
    dvr.onRestart()
    push(...packets)
    await dvr.close()
    expect(headOf(path('show.flv')).facts).toMatchObject(facts)
    expect(bodies(tagsIn(path('show.flv')))).toEqual(bodies(packets))
  })

  test('has what the encoder says of it, and cue points at their time', async () => {
    const { dvr, push, path } = setUp()
    const metadata = (values: Record<string, number | string>): Packet => ({
      ...{ type: dataType, flags: metadataFlag, timestamp: 0 },
      body: encodeAmf0('onMetaData', amfEcmaArray(values)),
    })
    const cue: Packet = { type: dataType, flags: 0, timestamp: 40, body: encodeAmf0('onCuePoint', 'here') }
    dvr.onRestart()
    push(metadata({ width: 320, encoder: 'e', duration: 99, stream: 'mine' }), ...headers, avcFrame(true, 0))
    push(avcFrame(false, 40), cue, metadata({ width: 640, framerate: 25 }), avcFrame(false, 80))
    await dvr.close()
    const { facts, members } = headOf(path('show.flv'))
    expect(facts).toMatchObject({ stream: 'show', durationMs: 120 })
    expect([...members]).toEqual([
      ['width', 640],
      ['framerate', 25],
    ])
    const tags = tagsIn(path('show.flv'))
    expect(tags.filter(({ type }) => type === dataType)).toMatchObject([{ timestamp: 40, body: cue.body }])
  })

  test('ends where the codec or its configuration changes, and another one begins', async () => {
    const { dvr, push, path, files } = setUp()
    dvr.onRestart()
    push(...headers, ...frames(0, 1), headers[0]!, otherVideo, avcFrame(false, 1000), avcFrame(true, 1040))
    push(aacHeader('1190'), aacFrame(1050), avcFrame(false, 1080))
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show-2.flv', 'show.flv'])
    expect(bodies(tagsIn(path('show.flv')))).toEqual(bodies([...headers, ...frames(0, 1)]))
    // What came before the first picture of the new kind cannot be decoded.
    expect(bodies(tagsIn(path('show-1.flv')))).toEqual(bodies([otherVideo, headers[1]!, avcFrame(true, 0)]))
    // Audio may change between any two pictures: none is lost.
    expect(bodies(tagsIn(path('show-2.flv')))).toEqual(
      bodies([otherVideo, aacHeader('1190'), aacFrame(0), avcFrame(false, 0)]),
    )
  })

  test.each([
    ['full', [5000, 5040, 5080, 9000], [0, 40, 80, 120]],
    ['zero', [5000, 5040, 5080, 9000], [0, 40, 80, 4000]],
    ['off', [5000, 5040, 5080, 9000], [5000, 5040, 5080, 9000]],
  ])('with time_jitter %s has these times', async (mode, sent, written) => {
    const { dvr, push, path } = setUp(`time_jitter ${mode};`)
    dvr.onRestart()
    push(avcHeader(), ...sent.map((timestamp, index) => avcFrame(index === 0, timestamp)))
    await dvr.close()
    expect(pictureTimes(path('show.flv'))).toEqual(written)
    const lengthMs = written.at(-1)! - written[0]! + Math.min(1000, written[3]! - written[2]!)
    expect(headOf(path('show.flv')).facts.durationMs).toBe(lengthMs)
  })
})

describe('segments', () => {
  test('end at key frames when they are long enough, and no packet is lost between them', async () => {
    const { dvr, publish, files, path } = setUp('dvr_plan segment; dvr_duration 2;')
    publish(7)
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show-2.flv', 'show-3.flv', 'show.flv'])
    const inOrder = ['show.flv', 'show-1.flv', 'show-2.flv', 'show-3.flv'].map(path)
    expect(inOrder.map((file) => pictureTimes(file).length)).toEqual([50, 50, 50, 25])
    // Each has the headers, begins at 0, and with a key frame.
    for (const file of inOrder) {
      expect(bodies(tagsIn(file).slice(0, 3))).toEqual(bodies([...headers, avcFrame(true, 0)]))
      expect(pictureTimes(file)[0]).toBe(0)
    }
    expect(inOrder.flatMap((file) => bodies(tagsIn(file).slice(2)))).toEqual(bodies(frames(0, 7)))
  })

  test('go on until a key frame comes, or end at any frame without dvr_wait_keyframe', async () => {
    const rare = [
      avcFrame(true, 0),
      ...Array.from({ length: 99 }, (_, index) => avcFrame(false, 40 + index * 40)),
    ]
    const waiting = setUp('dvr_plan segment; dvr_duration 1;')
    const cutting = setUp('dvr_plan segment; dvr_duration 1; dvr_wait_keyframe off;')
    for (const { dvr, push } of [waiting, cutting]) {
      dvr.onRestart()
      push(...headers, ...rare)
      await dvr.close()
    }
    expect(waiting.files()).toEqual(['show.flv'])
    expect(cutting.files()).toHaveLength(4)
  })

  test('of audio alone end at any frame', async () => {
    const { dvr, push, files } = setUp('dvr_plan segment; dvr_duration 1;')
    dvr.onRestart()
    push(aacHeader(), ...Array.from({ length: 100 }, (_, index) => aacFrame(index * 25)))
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show-2.flv', 'show.flv'])
  })
})

describe('append', () => {
  test('is one file over all publishes, whose time goes on', async () => {
    const { dvr, publish, files, path, recorded } = setUp('dvr_plan append;')
    publish(2)
    publish(1, 700_000)
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
    const times = pictureTimes(path('show.flv'))
    expect(times).toEqual(
      [...Array(50).keys(), ...Array(25).keys()].map((n, i) => n * 40 + (i < 50 ? 0 : 2010)),
    )
    const { facts, fileBytes, points } = headOf(path('show.flv'))
    expect(facts.durationMs).toBe(3020)
    expect(fileBytes).toBe(statSync(path('show.flv')).size)
    expect(points.map(({ timeMs }) => timeMs)).toEqual([0, 1000, 2010])
    expect(recorded.map(({ durationMs }) => durationMs)).toEqual([2010, 3020])
  })

  test('goes on with the file that another process left, whatever its timestamp', async () => {
    const directives = 'dvr_plan append; dvr_path DIR/[app]/[stream].[timestamp].flv;'
    const first = setUp(directives)
    first.publish(1)
    await first.dvr.close()
    const second = setUp(directives, first.dir)
    second.publish(1)
    await second.dvr.close()
    expect(second.files()).toHaveLength(1)
    expect(headOf(second.path(second.files()[0]!)).facts.durationMs).toBe(2020)
  })

  test('goes on with the newest of several files', async () => {
    const session = setUp('dvr_path DIR/[app]/[stream].[timestamp].flv;')
    session.publish(1)
    await session.dvr.close()
    const [before] = session.files()
    const newer = before!.replace(/\d+/, (timestamp) => String(Number(timestamp) + 1))
    copyFileSync(session.path(before!), session.path(newer))
    const directives = 'dvr_plan append; dvr_path DIR/[app]/[stream].[timestamp].flv;'
    const { dvr, publish, files, path } = setUp(directives, session.dir)
    publish(1)
    await dvr.close()
    expect(files()).toEqual([before, newer])
    expect(headOf(path(before!)).facts.durationMs).toBe(1010)
    expect(headOf(path(newer)).facts.durationMs).toBe(2020)
  })

  test('has a file of its own where the codec is another, and goes on with each', async () => {
    const speex = [packetOf(8, 0, 'b2 aabb'), packetOf(8, 20, 'b2 aabb')]
    const { dvr, push, publish, files, path } = setUp('dvr_plan append;')
    publish(1)
    dvr.onRestart()
    push(...speex)
    publish(1)
    dvr.onRestart()
    push(...speex)
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show.flv'])
    expect(headOf(path('show.flv')).facts).toMatchObject({ durationMs: 2020, audio: 'AAC' })
    expect(headOf(path('show-1.flv')).facts).toMatchObject({ durationMs: 80, audio: 'Speex' })
  })

  test('lets a file alone that is none of its own', async () => {
    const { dir, dvr, publish, files, path } = setUp('dvr_plan append;')
    mkdirSync(join(dir, 'live'))
    writeFileSync(path('show.flv'), 'mine')
    publish(1)
    publish(1)
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show.flv'])
    expect(readFileSync(path('show.flv'), 'latin1')).toBe('mine')
    expect(headOf(path('show-1.flv')).facts.durationMs).toBe(2020)
  })
})

describe('as MP4', () => {
  const asMp4 = 'dvr_path DIR/[app]/[stream].mp4;'

  test('a session is a file of fragments that says what it is', async () => {
    const { dvr, publish, files, path, complaints } = setUp(asMp4)
    publish(3)
    await dvr.close()
    expect(files()).toEqual(['show.mp4'])
    expect(await readRecordingFacts(path('show.mp4'))).toMatchObject({
      durationMs: 3010,
      video: 'H264',
      audio: 'AAC',
    })
    expect(complaints()).toEqual([])
  })

  test('a track with another codec is left out, which is told', async () => {
    const { dvr, push, path, complaints } = setUp(asMp4)
    dvr.onRestart()
    push(
      headers[0]!,
      avcFrame(true, 0),
      packetOf(8, 0, 'b2 aabb'),
      avcFrame(false, 40),
      packetOf(8, 20, 'b2 aabb'),
    )
    await dvr.close()
    expect(await readRecordingFacts(path('show.mp4'))).toMatchObject({ video: 'H264', audio: null })
    expect(complaints()).toMatchObject([{ code: 'DVR_CODEC', reason: 'Speex has no place in an MP4 file' }])
  })

  test('a stream of which nothing has a place is no file, and is told of', async () => {
    const { dvr, push, dir, complaints } = setUp(asMp4)
    dvr.onRestart()
    push(...Array.from({ length: 200 }, (_, index) => packetOf(8, index * 20, 'b2 aabb')))
    await dvr.close()
    expect(readdirSync(dir)).toEqual([])
    expect(complaints()).toMatchObject([{ code: 'DVR_CODEC' }])
  })

  test('a track that comes late has another file', async () => {
    const { dvr, push, files, path } = setUp(asMp4)
    dvr.onRestart()
    push(headers[0]!, ...Array.from({ length: 50 }, (_, index) => avcFrame(index % 25 === 0, index * 40)))
    await eventually(() => expect(dvr.status.recording).toBe(true))
    push(headers[1]!, ...frames(2000, 1))
    await dvr.close()
    expect(files()).toEqual(['show-1.mp4', 'show.mp4'])
    expect(await readRecordingFacts(path('show.mp4'))).toMatchObject({ audio: null, durationMs: 2000 })
    expect(await readRecordingFacts(path('show-1.mp4'))).toMatchObject({ audio: 'AAC', durationMs: 1010 })
  })

  test('append goes on with the same tracks, and has another file for others', async () => {
    const first = setUp(`dvr_plan append; ${asMp4}`)
    first.publish(2)
    await first.dvr.close()
    const second = setUp(`dvr_plan append; ${asMp4}`, first.dir)
    second.publish(1)
    second.dvr.onRestart()
    second.push(otherVideo, headers[1]!, ...frames(0, 1))
    second.publish(1)
    await second.dvr.close()
    expect(second.files()).toEqual(['show-1.mp4', 'show.mp4'])
    expect(await readRecordingFacts(second.path('show.mp4'))).toMatchObject({ durationMs: 4030 })
    expect(await readRecordingFacts(second.path('show-1.mp4'))).toMatchObject({ durationMs: 1010 })
  })
})

describe('a changed configuration', () => {
  test('of lengths is taken up; with another path, or for other streams, it begins anew', () => {
    const { dvr, dir } = setUp('dvr_plan segment; dvr_duration 2;')
    const changed = (directives: string) => dvr.reconfigure({ dvr: dvrConfig(dir, directives) })
    expect(changed('dvr_plan segment; dvr_duration 5; dvr_wait_keyframe off;')).toBe(true)
    expect(changed('dvr_plan segment; dvr_apply live/other live/show;')).toBe(true)
    expect(changed('dvr_plan segment; dvr_apply live/other;')).toBe(false)
    expect(changed('dvr_plan session;')).toBe(false)
    expect(changed('dvr_plan segment; dvr_path DIR/[stream].mp4;')).toBe(false)
    expect(dvr.reconfigure({ dvr: { ...dvrConfig(dir, 'dvr_plan segment;'), enabled: false } })).toBe(false)
  })

  test('nothing is written before whoever wrote before has finished', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const dir = tempDir()
    const { dvr, publish, files } = setUp('', dir, promise)
    publish(1)
    expect(files()).toEqual([])
    expect(dvr.status.recording).toBe(false)
    resolve()
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
  })
})

test('on_dvr is told of each recording, with who was recorded if that is known', () => {
  const told: unknown[] = []
  const hooks = { onDvr: (...about: unknown[]) => told.push(about), onHls: () => expect.unreachable() }
  const listener = dvrListener(silentLogger, hooks)
  const recording = {
    ...{ vhost: 'v', app: 'live', stream: 'show', file: './show.flv', cwd: '/' },
    ...{ bytes: 1, durationMs: 1, startedAtMs: 1 },
  }
  const publisher = { clientId: 'c', ip: '10.0.0.1', vhost: 'v', app: 'live', stream: 'show', param: '?a=b' }
  listener.onRecorded(recording, publisher)
  listener.onRecorded(recording, null)
  expect(told).toEqual([
    [publisher, './show.flv'],
    [{ clientId: '', ip: '', vhost: 'v', app: 'live', stream: 'show', param: '' }, './show.flv'],
  ])
})
