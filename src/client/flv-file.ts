/** FLV files as packets: reading one, and recording into one. */
import { once } from 'node:events'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { WeirError } from '../base/errors.ts'
import { FlvReader } from '../media/flv/reader.ts'
import type { FlvContent } from '../media/flv/tag.ts'
import { encodeTag, flvHeader } from '../media/flv/writer.ts'
import type { Packet } from '../media/packet.ts'
import { packetOf } from '../rtmp/session-media.ts'

/**
 * The packets of a file, in its order; the file is read as they are taken.
 * @throws WeirError FLV_FORMAT when it is not FLV or ends within a tag (after the whole ones were given); the
 *   system's error when it cannot be read
 */
export async function* readFlvFile(path: string): AsyncGenerator<Packet, void, undefined> {
  const reader = new FlvReader()
  for await (const bytes of createReadStream(path)) {
    for (const { type, timestamp, body } of reader.push(bytes as Buffer)) {
      // A tag is what RTMP sends as a message, but for the header around it.
      const packet = packetOf({ type, timestamp, streamId: 0, body })
      if (packet !== null) yield packet
    }
  }
  if (reader.unfinished) throw new WeirError('FLV_FORMAT', `${path} ends within its header or a tag`)
}

/** Records packets into a new file. The duration in the metadata is not corrected at the end. */
export class FlvFileWriter {
  readonly #stream: WriteStream
  #error: Error | null = null

  /**
   * Creates the file, or empties it.
   * @param content what the file header announces
   * @throws the system's error when the file cannot be written
   */
  static async create(
    path: string,
    content: FlvContent = { audio: true, video: true },
  ): Promise<FlvFileWriter> {
    const stream = createWriteStream(path)
    await once(stream, 'open')
    const writer = new FlvFileWriter(stream)
    stream.write(flvHeader(content))
    return writer
  }

  private constructor(stream: WriteStream) {
    this.#stream = stream
    stream.on('error', (error) => {
      this.#error = error
    })
  }

  /** Bytes that were written or wait to be. */
  get bytesWritten(): number {
    return this.#stream.bytesWritten + this.#stream.writableLength
  }

  /**
   * Writes a packet as a tag; resolves when the file takes more.
   * @throws FLV_FORMAT when the body is too long for a tag; the system's error when this or an earlier write failed
   */
  async write(packet: Packet): Promise<void> {
    if (this.#error !== null) throw this.#error
    const tag = encodeTag(packet.type, packet.timestamp, packet.body)
    if (!this.#stream.write(tag)) await once(this.#stream, 'drain')
  }

  /** @throws the system's error when this or an earlier write failed */
  async close(): Promise<void> {
    if (this.#error !== null) throw this.#error
    this.#stream.end()
    await finished(this.#stream)
  }
}
