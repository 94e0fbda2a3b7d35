import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DvrStream } from '../../../src/backsource/dvr/dvr-stream.ts'
import type { RecordedFile } from '../../../src/backsource/dvr/recorded-file.ts'
import { readFlvHead } from '../../../src/media/dvr/flv-head.ts'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from '../../media/ts/packets.ts'
import { vhostConfigOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { tempDir } from '../../support/temp-dir.ts'

const stream = '__defaultVhost__/live/show'

function setUp(directives = '', dir = tempDir()) {
  const { logger, lines } = recordingLogger()
  const recorded: RecordedFile[] = []
  const path = directives.includes('dvr_path') ? '' : `dvr_path ${dir}/[app]/[stream].flv;`
  const config = vhostConfigOf(`dvr { enabled on; ${path} ${directives.replaceAll('DIR', dir)} }`).dvr
  const dvr = new DvrStream(stream, config, true, logger, { onRecorded: (file) => recorded.push(file) })
  return {
    ...{ dir, dvr, lines, recorded },
    push: (...packets: Packet[]): void => {
      for (const packet of packets) dvr.onPacket(packet)
    },
    files: (): string[] => readdirSync(join(dir, 'live')).sort(),
  }
}

function frames(startMs: number, seconds: number): Packet[] {
  return Array.from({ length: seconds * 25 }, (_, index) => index * 40).flatMap((time) => [
    avcFrame(time % 1000 === 0, startMs + time),
    aacFrame(startMs + time + 10),
  ])
}

function tagsOf(file: string) {
  return new FlvReader().push(readFileSync(file))
}

describe('a session', () => {
  test('is one file with all packets, its duration, its size and an index of its key frames', async () => {
    const { dvr, push, files, dir, recorded } = setUp()
    dvr.onRestart()
    push(avcHeader(), aacHeader(), ...frames(0, 3))
    dvr.onIdle()
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
    const bytes = readFileSync(join(dir, 'live/show.flv'))
    const head = readFlvHead(bytes)!
    expect(head.facts).toMatchObject({
      app: 'live',
      stream: 'show',
      durationMs: 3010,
      video: 'H264',
      audio: 'AAC',
    })
    expect(head.fileBytes).toBe(bytes.length)
    const [, ...tags] = tagsOf(join(dir, 'live/show.flv'))
    const published = [avcHeader(), aacHeader(), ...frames(0, 3)]
    expect(tags.map(({ type, timestamp, body }) => ({ type, timestamp, body }))).toEqual(
      published.map(({ type, timestamp, body }) => ({ type, timestamp, body })),
    )
    expect(head.points.map(({ timeMs }) => timeMs)).toEqual([0, 1000, 2000])
    for (const { at } of head.points) expect(tags.find(({ offset }) => offset === at)?.body[0]).toBe(0x17)
    expect(recorded).toMatchObject([
      { file: join(dir, 'live/show.flv'), durationMs: 3010, bytes: bytes.length },
    ])
  })
})
