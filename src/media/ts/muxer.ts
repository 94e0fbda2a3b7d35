import { readCodedBody } from '../coded-body.ts'
import { isKeyFrame, type Packet } from '../packet.ts'
import { type AudioFormat, adtsHeaderBytes, fitsFrame, writeFrameHeader } from './audio-format.ts'
import { audioPid, audioStreamId, patPid, pmtPid, type TsSink, videoPid, videoStreamId } from './layout.ts'
import { Packetizer } from './packetizer.ts'
import { Pieces } from './pieces.ts'
import { patPacket, pmtPacket } from './tables.ts'
import { ticksOf, writeTimeStamp } from './time-stamps.ts'
import { addAccessUnit, type VideoFormat } from './video-format.ts'

/** What a transport stream carries. */
export interface TsTracks {
  readonly video: VideoFormat | null
  readonly audio: AudioFormat | null
}

/**
 * Presentation is so much behind the stream's time, in milliseconds, and decoding so much behind the clock: the clock
 * never begins below zero, and audio that comes behind video of a later time is still early enough.
 */
export const presentationDelayMs = 1000
const decoderDelayMs = 700

/**
 * Where video comes seldom, audio frames take the clock along when it is as old as this: with the time of one of them
 * that makes less than the 100 ms that are allowed (ISO/IEC 13818-1, 2.7.2).
 */
const clockAgeMs = 75

/** Tables are repeated after so much of the stream's time: who joins in between waits for them. */
const tableIntervalMs = 500

/** A step back of the stream's time beyond this is another clock, below it audio and video loosely interleaved. */
const maxStepBackMs = 2000

/** Audio frames that share a PES packet, and their bytes: its length has 16 bits. */
const maxGroupFrames = 32
const maxGroupBytes = 60_000

/** A gap between two audio frames beyond which the second one needs a time of its own, in milliseconds. */
const maxGroupGapMs = 100

/** The longest header of a PES packet: with PTS and DTS. */
export const pesHeaderBytes = 19
/** Bytes of a PES packet that its length does not count. */
const uncountedBytes = 6
const maxPesLength = 0xffff

/**
 * Turns a stream's packets into an MPEG transport stream. It copies each byte once, from the packet's body to where
 * the sink wants it, and keeps of the past the continuity counters, the clock and audio frames that wait for others
 * to share a PES packet with.
 *
 * Source: ISO/IEC 13818-1; Apple "HTTP Live Streaming" (RFC 8216) for what players need of it.
 */
export class TsMuxer {
  readonly #packetizer = new Packetizer()
  readonly #groupMs: number
  readonly #pes = new Pieces()
  readonly #pesHeader = Buffer.alloc(pesHeaderBytes)
  /** Audio frames that wait, with their headers. */
  readonly #group = new Pieces()
  readonly #groupHeaders = Buffer.alloc(maxGroupFrames * adtsHeaderBytes)
  #groupHeaderBytes = 0
  #groupFrames = 0
  #groupStartMs = 0
  #groupEndMs = 0
  readonly #pat = patPacket()
  #pmt = pmtPacket({ video: null, audio: null }, 0)
  #pmtVersion = 0
  #tracks: TsTracks = { video: null, audio: null }
  #tablesAtMs = Number.NEGATIVE_INFINITY
  #clockMs = Number.NEGATIVE_INFINITY

  /** @param groupMs audio frames of so much time share a PES packet; 0: each has its own, at once */
  constructor(groupMs: number) {
    this.#groupMs = groupMs
  }

  get tracks(): TsTracks {
    return this.#tracks
  }

  /** Says what the stream carries from now on. Audio that waits is to be flushed before. */
  set tracks(tracks: TsTracks) {
    const before = this.#tracks
    this.#tracks = tracks
    const isSame =
      before.video?.streamType === tracks.video?.streamType &&
      before.audio?.streamType === tracks.audio?.streamType
    if (isSame) return
    const streams = { video: tracks.video?.streamType ?? null, audio: tracks.audio?.streamType ?? null }
    this.#pmtVersion = (this.#pmtVersion + 1) & 0x1f
    this.#pmt = pmtPacket(streams, this.#pmtVersion)
    this.#tablesAtMs = Number.NEGATIVE_INFINITY
  }

  /** Writes the tables: at the start of a file, so that it can be played alone. */
  writeTables(sink: TsSink, timeMs: number): void {
    this.#tablesAtMs = timeMs
    this.#packetizer.writeTable(sink, patPid, this.#pat)
    this.#packetizer.writeTable(sink, pmtPid, this.#pmt)
  }

  /**
   * Writes a video frame; anything else, and any frame of a stream without a video track, is passed over.
   * @param timeMs decoding time; not the packet's own, for that may wrap
   */
  writeVideo(sink: TsSink, packet: Packet, timeMs: number): void {
    const { video } = this.#tracks
    const coded = video && readCodedBody(packet.type, packet.body)
    if (video === null || coded?.content !== 'frame' || coded.codec !== video.codec) return
    const presentationMs = timeMs + coded.compositionMs
    const { body } = packet
    this.writePicture(sink, body, coded.start, coded.end, isKeyFrame(packet), timeMs, presentationMs)
  }

  /**
   * Writes a video frame that has no header around it: the bytes of `body` from `start` up to `end`. Without a video
   * track it is passed over.
   * @param timeMs decoding time
   */
  writePicture(
    sink: TsSink,
    body: Buffer,
    start: number,
    end: number,
    isKey: boolean,
    timeMs: number,
    shownMs: number,
  ): void {
    const { video } = this.#tracks
    if (video === null) return
    if (timeMs - this.#groupStartMs >= this.#groupMs) this.flush(sink)
    // No picture can be shown before it is decoded, whatever an encoder says.
    const presentationMs = Math.max(timeMs, shownMs)
    this.#pes.add(this.#pesHeader, 0, presentationMs === timeMs ? pesHeaderBytes - 5 : pesHeaderBytes)
    if (addAccessUnit(this.#pes, video, body, start, end, isKey)) {
      this.#writePesHeader(videoStreamId, this.#pes.bytes, presentationMs, timeMs)
      this.#writeDueTables(sink, timeMs)
      this.#packetizer.writePes(sink, videoPid, this.#pes, this.#nextClock(timeMs), isKey)
    }
    this.#pes.clear()
  }

  /**
   * Writes an audio frame, or keeps it until there are some that can share a PES packet: its body is kept until then.
   * Anything else, and any frame of a stream without an audio track, is passed over.
   * @param timeMs not the packet's own, for that may wrap
   */
  writeAudio(sink: TsSink, packet: Packet, timeMs: number): void {
    const { audio } = this.#tracks
    const coded = audio && readCodedBody(packet.type, packet.body)
    if (audio === null || coded?.content !== 'frame' || !isCodecOf(audio, coded.codec)) return
    this.writeSound(sink, packet.body, coded.start, coded.end, timeMs)
  }

  /**
   * Writes an audio frame that has no header around it, as {@link writeAudio} does: the bytes of `body` from `start` up
   * to `end`. Without an audio track it is passed over.
   */
  writeSound(sink: TsSink, body: Buffer, start: number, end: number, timeMs: number): void {
    const { audio } = this.#tracks
    const bytes = end - start
    if (audio === null || !fitsFrame(audio, bytes) || bytes > maxGroupBytes) return
    if (this.#mustFlushBefore(timeMs, bytes)) this.flush(sink)
    if (this.#tracks.video !== null && timeMs - this.#clockMs >= clockAgeMs) this.#writeClock(sink, timeMs)
    if (this.#groupFrames === 0) {
      this.#groupStartMs = timeMs
      this.#group.add(this.#pesHeader, 0, pesHeaderBytes - 5)
    }
    const headerAt = this.#groupHeaderBytes
    this.#groupHeaderBytes = writeFrameHeader(this.#groupHeaders, headerAt, audio, bytes)
    this.#group.add(this.#groupHeaders, headerAt, this.#groupHeaderBytes)
    this.#group.add(body, start, end)
    this.#groupFrames += 1
    this.#groupEndMs = timeMs
    if (this.#groupMs === 0 || this.#groupFrames === maxGroupFrames) this.flush(sink)
  }

  /** Writes the audio frames that wait for others. */
  flush(sink: TsSink): void {
    if (this.#groupFrames === 0) return
    const timeMs = this.#groupStartMs
    this.#writePesHeader(audioStreamId, this.#group.bytes, timeMs, timeMs)
    this.#writeDueTables(sink, timeMs)
    const hasVideo = this.#tracks.video !== null
    const clock = hasVideo ? -1 : this.#nextClock(timeMs)
    this.#packetizer.writePes(sink, audioPid, this.#group, clock, !hasVideo)
    this.#group.clear()
    this.#groupFrames = 0
    this.#groupHeaderBytes = 0
  }

  #mustFlushBefore(timeMs: number, bytes: number): boolean {
    if (this.#groupFrames === 0) return false
    const gap = timeMs - this.#groupEndMs
    const isTooLong =
      timeMs - this.#groupStartMs >= this.#groupMs || this.#group.bytes + bytes > maxGroupBytes
    return isTooLong || gap < 0 || gap > maxGroupGapMs
  }

  #writeClock(sink: TsSink, timeMs: number): void {
    this.#writeDueTables(sink, timeMs)
    this.#packetizer.writeClock(sink, videoPid, this.#nextClock(timeMs))
  }

  #writeDueTables(sink: TsSink, timeMs: number): void {
    const since = timeMs - this.#tablesAtMs
    if (since >= tableIntervalMs || since < -tableIntervalMs) this.writeTables(sink, timeMs)
  }

  /** @returns the clock reference for now in units of 90 kHz; -1 if it has not gone on */
  #nextClock(timeMs: number): number {
    const step = timeMs - this.#clockMs
    if (step > -maxStepBackMs && step <= 0) return -1
    this.#clockMs = timeMs
    return ticksOf(timeMs + presentationDelayMs - decoderDelayMs)
  }

  /** Writes the header of a PES packet of that many bytes, which go with it. */
  #writePesHeader(streamId: number, bytes: number, presentationMs: number, decodingMs: number): void {
    const header = this.#pesHeader
    const hasDts = presentationMs !== decodingMs
    const length = bytes - uncountedBytes
    header.writeUIntBE(1, 0, 3)
    header[3] = streamId
    // Only video may leave its length open.
    header.writeUInt16BE(length > maxPesLength ? 0 : length, 4)
    // The frame begins with the payload (data alignment).
    header[6] = 0x84
    header[7] = hasDts ? 0xc0 : 0x80
    header[8] = hasDts ? 10 : 5
    const end = writeTimeStamp(header, 9, hasDts ? 3 : 2, ticksOf(presentationMs + presentationDelayMs))
    if (hasDts) writeTimeStamp(header, end, 1, ticksOf(decodingMs + presentationDelayMs))
  }
}

function isCodecOf(format: AudioFormat, codec: string): boolean {
  return format.codec === codec || (format.codec === 'MP3' && codec === 'MP3-8k')
}
