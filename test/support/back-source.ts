import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import type { FromMaster } from '../../src/ipc/contract.ts'
import { MediaServer, type SenderChannel } from '../../src/ipc/media-server.ts'
import type { Packet } from '../../src/media/packet.ts'
import { keyFrame, videoHeader } from './packets.ts'
import { tempDir } from './temp-dir.ts'

/** A back-source without a process: what workers ask it, and a way to send them media. */
export async function fakeBackSource(stream: string, name: string) {
  const path = join(tempDir(), `${name}.sock`)
  const asked: string[] = []
  const channels: SenderChannel[] = []
  const server = new MediaServer(path, {
    onMessage: (channel, message) => {
      if (!channels.includes(channel)) channels.push(channel)
      asked.push(`${message.t} ${'source' in message ? message.source : ''}`)
    },
    onClose: (channel) => channels.splice(channels.indexOf(channel), 1),
    onError: (error) => expect.unreachable(error.message),
  })
  await server.listen()
  onTestFinished(() => server.close())
  /** What the master says of it. */
  const up = (source = 1): Extract<FromMaster, { t: 'source-up' }> => ({
    t: 'source-up',
    stream,
    source,
    path,
    sourceId: name,
  })
  /** As a back-source begins: a publisher with a key frame. */
  const begin = (source = 1): void => {
    channels[0]!.send({ t: 'restart', source, sourceId: name })
    media(source, videoHeader('avc'), keyFrame(0, `${name}-key`))
  }
  const media = (source: number, ...packets: Packet[]): void => {
    const [channel] = channels
    for (const { type, flags, timestamp, body } of packets) {
      channel!.sendMedia(source, type, flags, timestamp, body)
    }
    channel!.flush()
  }
  const say = (t: 'idle' | 'gone' | 'replay-begin' | 'replay-end', source = 1): void =>
    channels[0]!.send({ t, source })
  const subscribed = (): Promise<void> => vi.waitFor(() => expect(asked.at(-1)).toMatch(/^subscribe/))
  return { path, server, asked, channels, up, begin, media, say, subscribed }
}
