import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DvrStream } from '../../../src/backsource/dvr/dvr-stream.ts'
import type { RecordedFile } from '../../../src/backsource/dvr/recorded-file.ts'
import type { HookSubject } from '../../../src/hooks/hook-body.ts'
import { readFlvHead } from '../../../src/media/dvr/flv-head.ts'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import { type Packet, videoType } from '../../../src/media/packet.ts'
import { avcSamples } from '../../media/avc-samples.ts'
import { hex } from '../../media/bytes.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from '../../media/ts/packets.ts'
import { vhostConfigOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { tempDir } from '../../support/temp-dir.ts'

export const stream = '__defaultVhost__/live/show'

/** Headers that an MP4 file can be made of, and another video's. */
export const headers: readonly Packet[] = [avcHeader(hex(avcSamples[0]!.config)), aacHeader()]
export const otherVideo: Packet = avcHeader(hex(avcSamples[3]!.config))

/** @param directives of the section; DIR stands for the directory */
export function dvrConfig(dir: string, directives: string) {
  const path = directives.includes('dvr_path') ? '' : 'dvr_path DIR/[app]/[stream].flv;'
  return vhostConfigOf(`dvr { enabled on; ${path} ${directives} }`.replaceAll('DIR', dir)).dvr
}

/** A recorder with a directory of its own. */
export function setUp(directives = '', dir = tempDir(), earlier?: Promise<unknown>) {
  const { logger, lines } = recordingLogger()
  const recorded: RecordedFile[] = []
  const told: string[] = []
  let publishes = 0
  const listener = {
    publisher: () => ({
      ...{ clientId: `client${publishes}`, ip: '', vhost: '', app: 'live', stream: 'show', param: '' },
    }),
    onRecorded: (file: RecordedFile, publisher: HookSubject | null) => {
      recorded.push(file)
      told.push(publisher?.clientId ?? 'nobody')
    },
  }
  const dvr = new DvrStream(stream, dvrConfig(dir, directives), true, logger, listener, earlier)
  const push = (...packets: Packet[]): void => {
    for (const packet of packets) dvr.onPacket(packet)
  }
  return {
    ...{ dir, dvr, lines, recorded, told, push },
    /** Publishes so many seconds, with a key frame in each. */
    publish(seconds: number, startMs = 0): void {
      publishes += 1
      dvr.onRestart()
      push(...headers, ...frames(startMs, seconds))
      dvr.onIdle()
    },
    files: (): string[] => (existsSync(join(dir, 'live')) ? readdirSync(join(dir, 'live')).sort() : []),
    path: (name: string): string => join(dir, 'live', name),
    complaints: () => lines.filter(({ level }) => level >= 40),
  }
}

export function frames(startMs: number, seconds: number): Packet[] {
  return Array.from({ length: seconds * 25 }, (_, index) => index * 40).flatMap((time) => [
    avcFrame(time % 1000 === 0, startMs + time),
    aacFrame(startMs + time + 10),
  ])
}

/** The tags of a file behind its metadata. */
export function tagsIn(file: string) {
  return new FlvReader().push(readFileSync(file)).slice(1)
}

export function headOf(file: string) {
  return readFlvHead(readFileSync(file))!
}

/** Times of a file's video frames. */
export function pictureTimes(file: string): number[] {
  return tagsIn(file)
    .filter(({ type, body }) => type === videoType && body[1] === 1)
    .map(({ timestamp }) => timestamp)
}

export const bodies = (packets: readonly { readonly body: Buffer }[]): string[] =>
  packets.map(({ body }) => body.toString('hex'))
