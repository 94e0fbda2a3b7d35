/** Checks the media that one player gets, whatever brought it: RTMP messages, the tags of FLV, MPEG-TS. */
import { audioType, classify, keyFrameFlag, sequenceHeaderFlag, videoType } from '../../media/packet.ts'
import { Histogram } from './histogram.ts'
import { readStamp, type Stamp, stampEnd } from './stamp.ts'

/** What all players of a thread saw together. */
export class PlayStatistics {
  /** From the begin of the TCP connect to the first packet that something can be decoded from. */
  readonly firstPacket = new Histogram()
  /** From the publisher's sending to the end of a picture's arrival, of stamped pictures. */
  readonly latency = new Histogram()
  /** Places where the stamps' numbers do not go on by one. */
  gaps = 0
  /** Packets whose time is before that of the last one of their type. */
  timestampErrors = 0
  /** Connections on which the server broke the protocol, so that they had to be closed. */
  framingErrors = 0
  /** From a request for a playlist or a segment to the end of its answer. */
  readonly responses = new Histogram()
  playlists = 0
  segments = 0

  /** Counts anew what is counted from the begin of the measurement on. */
  measure(): void {
    this.latency.clear()
    this.responses.clear()
    this.playlists = 0
    this.segments = 0
  }
}

/** Bytes of a body that {@link StreamChecker.onMedia} looks at. */
export const checkedBytes = stampEnd

/** Stamps are read into this, one after the other. */
const stamp: Stamp = { sequence: 0, sentMs: 0 }

export class StreamChecker {
  readonly #statistics: PlayStatistics
  readonly #connectMs: number
  /** When the first sound came, in case there are no pictures. */
  #firstAudioMs: number | null = null
  #hasVideo = false
  #started = false
  /** Times of the last packets, as signed numbers of 32 bits that wrap; null before the first. */
  #audioTime: number | null = null
  #videoTime: number | null = null
  #sequence: number | null = null

  /** @param connectMs when the TCP connect began, by the machine's clock */
  constructor(statistics: PlayStatistics, connectMs: number) {
    this.#statistics = statistics
    this.#connectMs = connectMs
  }

  /**
   * Takes a packet.
   * @param type message or tag type; what is neither audio nor video is passed over
   * @param timestamp ms, 0 .. 2^32-1
   * @param bytes `bytes[start, end)` is the beginning of its body: {@link checkedBytes} of it, or all
   * @param nowMs when it came, by the machine's clock
   */
  onMedia(type: number, timestamp: number, bytes: Buffer, start: number, end: number, nowMs: number): void {
    if (start === end || (type !== videoType && type !== audioType)) return
    const flags = classify(type, bytes.subarray(start, end))
    // Servers repeat sequence headers with any time.
    if ((flags & sequenceHeaderFlag) !== 0) return
    if (type === audioType) {
      this.#audioTime = this.#checkTime(this.#audioTime, timestamp)
      this.onAudio(nowMs)
      return
    }
    this.#videoTime = this.#checkTime(this.#videoTime, timestamp)
    this.onPicture((flags & keyFrameFlag) !== 0, nowMs)
    if (readStamp(bytes, start, end, stamp)) this.onStamp(stamp, nowMs)
  }

  /** Takes sound whose time has been looked at. */
  onAudio(nowMs: number): void {
    this.#firstAudioMs ??= nowMs
  }

  /** Takes a picture whose time has been looked at. */
  onPicture(isKey: boolean, nowMs: number): void {
    this.#hasVideo = true
    if (!this.#started && isKey) this.#start(nowMs)
  }

  /** Takes what the stamp of a picture says. */
  onStamp({ sequence, sentMs }: Stamp, nowMs: number): void {
    if (this.#sequence !== null && sequence !== (this.#sequence + 1) >>> 0) this.#statistics.gaps += 1
    this.#sequence = sequence
    this.#statistics.latency.record(nowMs - sentMs)
  }

  onTimeBack(): void {
    this.#statistics.timestampErrors += 1
  }

  /** Something is missing: that the numbers of the stamps jump over it counts no second time. */
  onGap(): void {
    this.#statistics.gaps += 1
    this.#sequence = null
  }

  /**
   * To be called at the end: only now it is known that a stream has no pictures.
   * @returns whether anything came that something can be decoded from
   */
  finish(): boolean {
    if (!this.#started && !this.#hasVideo && this.#firstAudioMs !== null) this.#start(this.#firstAudioMs)
    return this.#started
  }

  #start(nowMs: number): void {
    this.#started = true
    this.#statistics.firstPacket.record(nowMs - this.#connectMs)
  }

  /** @returns what the next packet's time is to be compared with */
  #checkTime(last: number | null, timestamp: number): number {
    const time = timestamp | 0
    if (last !== null && ((time - last) | 0) < 0) this.onTimeBack()
    return time
  }
}
