import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { Channel, type ChannelHandler } from '../../src/ipc/channel.ts'
import { writeControlFrame } from '../../src/ipc/frame.ts'
import { audioType, videoType } from '../../src/media/packet.ts'
import { tempDir } from '../support/temp-dir.ts'
import { listenUnix } from '../support/unix-server.ts'

interface Message {
  t: string
  [field: string]: unknown
}

type TestChannel = Channel<Message, Message>

/** A handler that writes down what it hears. */
class Recorder implements ChannelHandler<Message> {
  readonly messages: Message[] = []
  /** Messages as they are, media as `source:timestamp:body`, in the order of their arrival. */
  readonly story: unknown[] = []
  readonly closes: (Error | null)[] = []

  onMessage(message: Message): void {
    this.messages.push(message)
    this.story.push(message)
  }

  onMedia(source: number, _type: number, _flags: number, timestamp: number, body: Buffer): void {
    this.story.push(`${source}:${timestamp}:${body.toString()}`)
  }

  onClose(error: Error | null): void {
    this.closes.push(error)
  }
}

/** Both ends of a connection, and what each of them hears. */
interface Pair {
  readonly accepted: { channel: TestChannel; heard: Recorder; socket: Socket }
  readonly connected: { channel: TestChannel; heard: Recorder }
}

async function connect(heard = new Recorder(), acceptedHeard = new Recorder()): Promise<Pair> {
  const path = join(tempDir(), 'test.sock')
  const accepted = Promise.withResolvers<Pair['accepted']>()
  await listenUnix(path, (socket) => {
    const channel: TestChannel = new Channel(socket, acceptedHeard)
    accepted.resolve({ channel, heard: acceptedHeard, socket })
  })
  const channel: TestChannel = Channel.connect(path, heard)
  onTestFinished(() => channel.close(null))
  return { accepted: await accepted.promise, connected: { channel, heard } }
}

/** A raw connection to a channel: the test writes the bytes itself. */
async function rawPeer(heard: Recorder): Promise<Socket> {
  const path = join(tempDir(), 'test.sock')
  const accepted = Promise.withResolvers<Socket>()
  await listenUnix(path, accepted.resolve)
  const channel: TestChannel = Channel.connect(path, heard)
  onTestFinished(() => channel.close(null))
  return accepted.promise
}

function controlFrame(payload: Buffer): Buffer {
  const frame = Buffer.alloc(5 + payload.length)
  writeControlFrame(frame, 0, payload)
  return frame
}

describe('control messages', () => {
  test('arrive in order, both ways, with all kinds of values', async () => {
    const { accepted, connected } = await connect()
    const sent = [
      { t: 'a', number: 2 ** 40, text: 'ünï', nothing: null, list: [1, { deep: true }] },
      { t: 'b', bytes: 'x'.repeat(100_000) },
      ...Array.from({ length: 100 }, (_, index) => ({ t: 'c', index })),
    ]
    for (const message of sent) {
      connected.channel.send(message)
      accepted.channel.send(message)
    }
    await vi.waitFor(() => expect(accepted.heard.messages.length).toBe(sent.length))
    await vi.waitFor(() => expect(connected.heard.messages.length).toBe(sent.length))
    expect(accepted.heard.messages).toStrictEqual(sent)
    expect(connected.heard.messages).toStrictEqual(sent)
  })

  test('can be sent before the connection is there', async () => {
    const heard = new Recorder()
    const { connected, accepted } = await connect(undefined, heard)
    connected.channel.send({ t: 'early' })
    await vi.waitFor(() => expect(accepted.heard.messages).toStrictEqual([{ t: 'early' }]))
  })

  test('of one turn leave in one write', async () => {
    const { accepted, connected } = await connect()
    const write = vi.spyOn(accepted.socket, 'write')
    for (let index = 0; index < 10; index += 1) accepted.channel.send({ t: 'x', index })
    expect(write).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(connected.heard.messages.length).toBe(10))
    expect(write).toHaveBeenCalledTimes(1)
  })

  test('are maps that can be read alone', async () => {
    const heard = new Recorder()
    const peer = await rawPeer(heard)
    const standard = new Packr({ useRecords: false })
    peer.write(controlFrame(standard.pack({ t: 'x', a: 1 })))
    peer.write(controlFrame(standard.pack({ t: 'y', b: [2] })))
    await vi.waitFor(() =>
      expect(heard.messages).toStrictEqual([
        { t: 'x', a: 1 },
        { t: 'y', b: [2] },
      ]),
    )
  })
})

describe('media', () => {
  test('leaves with a flush only, beside control messages in the order of sending', async () => {
    const { accepted, connected } = await connect()
    const write = vi.spyOn(accepted.socket, 'write')
    accepted.channel.sendMedia(7, videoType, 1, 40, Buffer.from('key'))
    accepted.channel.sendMedia(8, audioType, 0, 50, Buffer.from('sound'))
    expect(accepted.channel.queuedBytes).toBe(15 + 3 + 15 + 5)
    await new Promise(setImmediate)
    expect(write).not.toHaveBeenCalled()
    accepted.channel.send({ t: 'between' })
    accepted.channel.sendMedia(7, videoType, 0, 80, Buffer.alloc(0))
    accepted.channel.flush()
    await vi.waitFor(() => {
      expect(connected.heard.story).toStrictEqual(['7:40:key', '8:50:sound', { t: 'between' }, '7:80:'])
    })
    expect(write).toHaveBeenCalledTimes(1)
    expect(accepted.channel.queuedBytes).toBe(0)
  })

  test('is copied: the sender may use the body again', async () => {
    const { accepted, connected } = await connect()
    const body = Buffer.from('before')
    accepted.channel.sendMedia(1, videoType, 0, 0, body)
    body.fill('x')
    accepted.channel.flush()
    await vi.waitFor(() => expect(connected.heard.story).toStrictEqual(['1:0:before']))
  })

  test('gives the memory of a large body back that was given away, once it has left', async () => {
    const { accepted, connected } = await connect()
    const [given, kept] = [Buffer.alloc(100_000, 'g'), Buffer.alloc(100_000, 'k')]
    accepted.channel.sendMedia(1, videoType, 0, 0, given, true)
    accepted.channel.sendMedia(1, videoType, 0, 40, kept)
    await vi.waitFor(() => {
      expect(connected.heard.story).toStrictEqual([
        `1:0:${'g'.repeat(100_000)}`,
        `1:40:${'k'.repeat(100_000)}`,
      ])
    })
    await vi.waitFor(() => expect(given).toHaveLength(0))
    expect(kept).toHaveLength(100_000)
  })

  test('leaves the memory of a body alone that is a part of something else', async () => {
    const { accepted, connected } = await connect()
    const whole = Buffer.alloc(100_001, 'w')
    accepted.channel.sendMedia(1, videoType, 0, 0, whole.subarray(1), true)
    await vi.waitFor(() => expect(connected.heard.story).toHaveLength(1))
    expect(whole).toHaveLength(100_001)
  })

  test('of several channels that read into one buffer is not mixed', async () => {
    const pairs = [await connect(), await connect(), await connect()]
    const body = (index: number, round: number) => `${index}-${round}-`.repeat(5000 + 7000 * index)
    for (let round = 0; round < 20; round += 1) {
      for (const [index, { accepted }] of pairs.entries()) {
        accepted.channel.sendMedia(index, videoType, 0, round, Buffer.from(body(index, round)))
        accepted.channel.flush()
      }
    }
    for (const [index, { connected }] of pairs.entries()) {
      await vi.waitFor(() => expect(connected.heard.story.length).toBe(20))
      for (const [round, entry] of connected.heard.story.entries()) {
        expect(entry === `${index}:${round}:${body(index, round)}`).toBe(true)
      }
    }
  })
})

describe('a sender that stopped because too much waited', () => {
  test('is told when it has left', async () => {
    const { accepted, connected } = await connect()
    const drained = Promise.withResolvers<void>()
    const onDrain = vi.fn(drained.resolve)
    Object.assign(accepted.heard, { onDrain })
    const body = Buffer.alloc(4 * 1024 * 1024)
    accepted.channel.sendMedia(1, videoType, 0, 0, body)
    accepted.channel.flush()
    expect(accepted.channel.queuedBytes).toBeGreaterThan(0)
    expect(onDrain).not.toHaveBeenCalled()
    await drained.promise
    expect(accepted.channel.queuedBytes).toBe(0)
    await vi.waitFor(() => expect(connected.heard.story.length).toBe(1))
  })
})

describe('the end', () => {
  test('in good order is told to both, once, after all that was sent', async () => {
    const { accepted, connected } = await connect()
    accepted.channel.send({ t: 'last' })
    accepted.channel.sendMedia(1, videoType, 0, 0, Buffer.from('frame'))
    accepted.channel.end()
    await vi.waitFor(() => expect(connected.heard.closes).toStrictEqual([null]))
    await vi.waitFor(() => expect(accepted.heard.closes).toStrictEqual([null]))
    expect(connected.heard.story).toStrictEqual([{ t: 'last' }, '1:0:frame'])
    expect([accepted.channel.closed, connected.channel.closed]).toStrictEqual([true, true])
  })

  test('is final: what is sent after it goes nowhere and harms nothing', async () => {
    const { accepted, connected } = await connect()
    accepted.channel.end()
    accepted.channel.send({ t: 'late' })
    accepted.channel.sendMedia(1, videoType, 0, 0, Buffer.from('late'))
    accepted.channel.flush()
    accepted.channel.end()
    await vi.waitFor(() => expect(accepted.heard.closes).toStrictEqual([null]))
    await vi.waitFor(() => expect(connected.heard.closes).toStrictEqual([null]))
    accepted.channel.send({ t: 'later' })
    accepted.channel.flush()
    expect(accepted.channel.queuedBytes).toBe(0)
    expect(connected.heard.story).toStrictEqual([])
  })

  test('at once is told to its own end before close returns, to the other as an orderly one', async () => {
    const { accepted, connected } = await connect()
    const reason = new WeirError('IPC_FRAME', 'test')
    connected.channel.close(reason)
    connected.channel.close(null)
    expect(connected.heard.closes).toStrictEqual([reason])
    await vi.waitFor(() => expect(accepted.heard.closes).toStrictEqual([null]))
    expect(connected.heard.closes.length).toBe(1)
  })

  test('of a connection that never came about is an error', async () => {
    const heard = new Recorder()
    Channel.connect(join(tempDir(), 'nobody.sock'), heard)
    await vi.waitFor(() => expect(heard.closes).toMatchObject([{ code: 'ENOENT' }]))
  })

  test('in the middle of a read: nothing more is delivered', async () => {
    const heard = new Recorder()
    const pair = await connect(heard)
    heard.onMessage = (message) => {
      heard.messages.push(message)
      pair.connected.channel.close(null)
    }
    pair.accepted.channel.send({ t: 'first' })
    pair.accepted.channel.send({ t: 'second' })
    pair.accepted.channel.sendMedia(1, videoType, 0, 0, Buffer.from('frame'))
    pair.accepted.channel.flush()
    await vi.waitFor(() => expect(pair.accepted.heard.closes.length).toBe(1))
    expect(heard.messages).toStrictEqual([{ t: 'first' }])
    expect(heard.story).toStrictEqual([])
    expect(heard.closes).toStrictEqual([null])
  })
})

describe('a peer that breaks the protocol is closed', () => {
  const packr = new Packr({ useRecords: false })
  test.each<[string, Buffer]>([
    ['a frame of an unknown kind', Buffer.from('0000000109', 'hex')],
    ['a frame that is too long', Buffer.from('ffffffff', 'hex')],
    ['no msgpack', controlFrame(Buffer.of(0xc1))],
    ['msgpack that is cut off', controlFrame(packr.pack({ t: 'abc' }).subarray(0, 4))],
    ['an empty message', controlFrame(Buffer.alloc(0))],
    ['a message that is no map', controlFrame(packr.pack([1, 2]))],
    ['a message that is nothing', controlFrame(packr.pack(null))],
    ['a message without a type', controlFrame(packr.pack({ type: 'x' }))],
    ['a type that is no text', controlFrame(packr.pack({ t: 5 }))],
  ])('%s', async (_, bytes) => {
    const heard = new Recorder()
    const peer = await rawPeer(heard)
    const gone = new Promise((resolve) => {
      peer.once('close', resolve)
    })
    peer.resume()
    peer.write(bytes)
    await vi.waitFor(() => expect(heard.closes).toMatchObject([{ code: 'IPC_FRAME' }]))
    await gone
    expect(heard.messages).toStrictEqual([])
    expect(heard.closes.length).toBe(1)
  })

  test('but one with a message that the handler refuses is closed with its reason', async () => {
    const heard = new Recorder()
    heard.onMessage = () => {
      throw new WeirError('IPC_VERSION', 'too old')
    }
    const { accepted } = await connect(heard)
    accepted.channel.send({ t: 'hello' })
    await vi.waitFor(() => expect(heard.closes).toMatchObject([{ code: 'IPC_VERSION' }]))
  })
})

describe('a peer that does not read', () => {
  async function deafPeer(): Promise<{ channel: TestChannel; heard: Recorder }> {
    const path = join(tempDir(), 'deaf.sock')
    const connected = Promise.withResolvers<void>()
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      onTestFinished(() => {
        socket.destroy()
      })
      connected.resolve()
    })
    onTestFinished(() => {
      server.close()
    })
    await new Promise<void>((resolve) => {
      server.listen(path, resolve)
    })
    const heard = new Recorder()
    const channel: TestChannel = Channel.connect(path, heard)
    await connected.promise
    return { channel, heard }
  }

  const megabyte = 1024 * 1024

  test('is closed when 32 MiB of messages wait for it', async () => {
    const { channel, heard } = await deafPeer()
    const message = { t: 'x', text: 'x'.repeat(8 * megabyte) }
    for (let count = 1; count <= 3; count += 1) channel.send(message)
    channel.flush()
    expect(channel.queuedBytes).toBeGreaterThan(20 * megabyte)
    expect(heard.closes).toStrictEqual([])
    channel.send(message)
    channel.send(message)
    expect(heard.closes).toMatchObject([{ code: 'IPC_OVERFLOW' }])
    expect(channel.closed).toBe(true)
  })

  test('is closed when media is sent on and on: a sender that does not look at the queue fills no memory', async () => {
    const { channel, heard } = await deafPeer()
    const body = Buffer.alloc(8 * megabyte)
    for (let count = 1; count <= 4; count += 1) channel.sendMedia(1, videoType, 0, 0, body)
    expect(heard.closes).toStrictEqual([])
    channel.sendMedia(1, videoType, 0, 0, body)
    expect(heard.closes).toMatchObject([{ code: 'IPC_OVERFLOW' }])
  })
})
