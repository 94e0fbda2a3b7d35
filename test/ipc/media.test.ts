import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Channel } from '../../src/ipc/channel.ts'
import { type FromSender, protocolVersion, type ToSender } from '../../src/ipc/contract.ts'
import { MediaClient, type MediaClientHandler } from '../../src/ipc/media-client.ts'
import { MediaServer, type MediaServerHandler, type SenderChannel } from '../../src/ipc/media-server.ts'
import { keyFrameFlag, videoType } from '../../src/media/packet.ts'
import { tempDir } from '../support/temp-dir.ts'
import { listenUnix } from '../support/unix-server.ts'

/** A server whose handler writes down what it hears. */
async function listening(path = join(tempDir(), 'media.sock')) {
  const messages: unknown[] = []
  const channels: SenderChannel[] = []
  const closes: (Error | null)[] = []
  const handler: MediaServerHandler = {
    onMessage: (channel, message) => {
      channels.push(channel)
      messages.push(message)
    },
    onClose: (_, error) => closes.push(error),
    onError: (error) => closes.push(error),
  }
  const server = new MediaServer(path, handler)
  await server.listen()
  onTestFinished(() => server.close())
  return { path, server, messages, channels, closes }
}

/** A client whose handler writes down what it hears; bodies are valid during the call only. */
function connected(path: string) {
  const story: unknown[] = []
  const closes: (Error | null)[] = []
  const handler: MediaClientHandler = {
    onRestart: (source, sourceId) => story.push(['restart', source, sourceId]),
    onIdle: (source) => story.push(['idle', source]),
    onReplayBegin: (source) => story.push(['replay-begin', source]),
    onReplayEnd: (source) => story.push(['replay-end', source]),
    onGone: (source) => story.push(['gone', source]),
    onPacket: (source, { body, ...packet }) => story.push([source, packet, body.toString()]),
    onClose: (error) => closes.push(error),
  }
  const client = new MediaClient(path, handler)
  onTestFinished(() => client.close())
  return { client, story, closes }
}

describe('a client and a server', () => {
  test('exchange requests and what becomes of them, in order', async () => {
    const { path, server, messages, channels } = await listening()
    const { client, story } = connected(path)
    client.send({ t: 'subscribe', source: 7 })
    client.send({ t: 'attach', publishId: 3, source: 8 })
    await vi.waitFor(() => expect(messages.length).toBe(2))
    expect(messages).toStrictEqual([
      { t: 'subscribe', source: 7 },
      { t: 'attach', publishId: 3, source: 8 },
    ])
    expect(server.channels).toBe(1)
    expect(channels[0]).toBe(channels[1])
    const channel = channels[0]!
    channel.send({ t: 'restart', source: 7, sourceId: 'abc' })
    channel.sendMedia(7, videoType, keyFrameFlag, 40, Buffer.from('key'))
    channel.send({ t: 'replay-begin', source: 7 })
    channel.sendMedia(7, videoType, keyFrameFlag, 40, Buffer.from('again'))
    channel.send({ t: 'replay-end', source: 7 })
    channel.send({ t: 'idle', source: 7 })
    channel.send({ t: 'gone', source: 8 })
    channel.flush()
    await vi.waitFor(() => expect(story.length).toBe(7))
    expect(story).toStrictEqual([
      ['restart', 7, 'abc'],
      [7, { type: videoType, flags: keyFrameFlag, timestamp: 40 }, 'key'],
      ['replay-begin', 7],
      [7, { type: videoType, flags: keyFrameFlag, timestamp: 40 }, 'again'],
      ['replay-end', 7],
      ['idle', 7],
      ['gone', 8],
    ])
  })

  test('end when the client closes', async () => {
    const { path, server, messages, closes } = await listening()
    const { client, closes: heard } = connected(path)
    client.send({ t: 'subscribe', source: 1 })
    await vi.waitFor(() => expect(messages.length).toBe(1))
    client.close()
    expect(heard).toStrictEqual([null])
    await vi.waitFor(() => expect(closes).toStrictEqual([null]))
    expect(server.channels).toBe(0)
  })

  test('end when the server closes: what it sent arrives, its socket is removed', async () => {
    const { path, server, messages, channels, closes } = await listening()
    const { client, story, closes: heard } = connected(path)
    client.send({ t: 'subscribe', source: 1 })
    await vi.waitFor(() => expect(messages.length).toBe(1))
    channels[0]!.sendMedia(1, videoType, 0, 0, Buffer.from('last'))
    server.close()
    await vi.waitFor(() => expect(heard).toStrictEqual([null]))
    expect(story.length).toBe(1)
    expect(closes).toStrictEqual([null])
    expect(existsSync(path)).toBe(false)
  })
})

describe('versions that differ', () => {
  test('are noticed by the server', async () => {
    const { path, closes, messages } = await listening()
    const ended = Promise.withResolvers<Error | null>()
    const channel = Channel.connect<ToSender, FromSender>(path, {
      onMessage: () => {},
      onMedia: () => {},
      onClose: ended.resolve,
    })
    channel.send({ t: 'hello', version: protocolVersion + 1 })
    channel.send({ t: 'subscribe', source: 1 })
    expect(await ended.promise).toBeNull()
    expect(closes).toMatchObject([{ code: 'IPC_VERSION' }])
    expect(messages).toStrictEqual([])
  })

  test('are noticed by the client', async () => {
    const path = join(tempDir(), 'media.sock')
    await listenUnix(path, (socket) => {
      const channel = new Channel<FromSender, ToSender>(socket, {
        onMessage: () => {},
        onMedia: () => {},
        onClose: () => {},
      })
      channel.send({ t: 'hello', version: protocolVersion + 1 })
      channel.send({ t: 'gone', source: 1 })
    })
    const { story, closes } = connected(path)
    await vi.waitFor(() => expect(closes).toMatchObject([{ code: 'IPC_VERSION' }]))
    expect(story).toStrictEqual([])
  })
})

describe('a server', () => {
  test('lets nobody else connect: its socket is for this user only', async () => {
    const { path } = await listening()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('closes who sends media to it', async () => {
    const { path, closes } = await listening()
    const channel = Channel.connect<ToSender, FromSender>(path, {
      onMessage: () => {},
      onMedia: () => {},
      onClose: () => {},
    })
    channel.sendMedia(1, videoType, 0, 0, Buffer.from('x'))
    channel.flush()
    await vi.waitFor(() => expect(closes).toMatchObject([{ code: 'IPC_FRAME' }]))
  })

  test('that cannot listen says where', async () => {
    const path = join(tempDir(), 'taken')
    writeFileSync(path, '')
    const server = new MediaServer(path, { onMessage: () => {}, onClose: () => {}, onError: () => {} })
    await expect(server.listen()).rejects.toMatchObject({
      code: 'RUNTIME_DIR',
      message: expect.stringContaining(path),
    })
  })
})
