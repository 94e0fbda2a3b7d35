import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PublishOrigin, ToMaster } from '../../src/ipc/contract.ts'
import { MediaClient } from '../../src/ipc/media-client.ts'
import type { PublisherOwner } from '../../src/stream/publisher.ts'
import { PublisherHub, type PublishWish } from '../../src/stream/publisher-hub.ts'
import { recordingLogger } from '../support/logger.ts'
import { keyFrame, sound, videoHeader } from '../support/packets.ts'
import { tempDir } from '../support/temp-dir.ts'

const origin: PublishOrigin = { tcUrl: 'rtmp://a/b', route: [] }
const wish: PublishWish = {
  ...{ stream: 'a/b/c', ip: '10.0.0.1', connectionId: 'c1', param: '?a', latency: 0 },
  origin,
}

async function setUp() {
  const path = join(tempDir(), 's1.sock')
  const sent: ToMaster[] = []
  const { logger, lines } = recordingLogger()
  const hub = new PublisherHub(path, logger, (message) => sent.push(message))
  await hub.listen()
  onTestFinished(() => hub.close())
  return { path, hub, sent, lines }
}

function newOwner() {
  return {
    isConnected: vi.fn<PublisherOwner['isConnected']>(() => true),
    readOn: vi.fn<PublisherOwner['readOn']>(),
    onAttached: vi.fn<PublisherOwner['onAttached']>(),
    onDrain: vi.fn<PublisherOwner['onDrain']>(),
    onRefused: vi.fn<PublisherOwner['onRefused']>(),
    onRevoked: vi.fn<PublisherOwner['onRevoked']>(),
  }
}

/** A back-source, as it connects to the worker: what it hears, in order. */
function backSource(path: string) {
  const story: string[] = []
  const client = new MediaClient(path, {
    onRestart: (source, sourceId, told) => {
      expect(told).toStrictEqual(origin)
      story.push(`restart ${source} ${sourceId}`)
    },
    onPacket: (source, { body }) => story.push(`${source}: ${body.toString()}`),
    onIdle: (source) => story.push(`idle ${source}`),
    onGone: (source) => story.push(`gone ${source}`),
    onClose: () => story.push('closed'),
  })
  onTestFinished(() => client.close())
  const attach = (publishId: number, source: number): void => client.send({ t: 'attach', publishId, source })
  return { client, story, attach }
}

describe('a publish', () => {
  test('is asked of the master', async () => {
    const { hub, sent } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    expect(sent).toStrictEqual([
      {
        ...{ t: 'publish', publishId: publisher.id, stream: 'a/b/c' },
        ...{ ip: '10.0.0.1', connectionId: 'c1', param: '?a' },
      },
    ])
    expect(hub.publish(wish, newOwner()).id).not.toBe(publisher.id)
    expect(hub.size).toBe(2)
    hub.onMessage({ t: 'publish-answer', publishId: publisher.id, ok: true, source: 7 })
    expect(owner.onAttached).not.toHaveBeenCalled()
  })

  test('is relayed to the back-source that attaches', async () => {
    const { hub, path } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    const { story, attach } = backSource(path)
    attach(publisher.id, 7)
    await vi.waitFor(() => expect(owner.onAttached).toHaveBeenCalledTimes(1))
    for (const packet of [videoHeader('avc'), keyFrame(0), sound(10)]) publisher.relay(packet)
    await vi.waitFor(() => expect(story).toStrictEqual(['restart 7 c1', '7: avc', '7: 0', '7: 10']))
  })

  test('that ends is told to back-source and master, once', async () => {
    const { hub, path, sent } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    const { story, attach } = backSource(path)
    attach(publisher.id, 7)
    await vi.waitFor(() => expect(owner.onAttached).toHaveBeenCalled())
    hub.unpublish(publisher)
    hub.unpublish(publisher)
    await vi.waitFor(() => expect(story).toStrictEqual(['restart 7 c1', 'idle 7']))
    expect(sent.slice(1)).toStrictEqual([{ t: 'unpublish', publishId: publisher.id, stream: 'a/b/c' }])
    expect([...hub.publishers]).toStrictEqual([])
  })

  test('that is refused is forgotten', async () => {
    const { hub, sent } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    const refusal = { t: 'publish-answer', publishId: publisher.id, ok: false, code: 'STREAM_BUSY' } as const
    hub.onMessage({ ...refusal, message: 'taken' })
    hub.onMessage({ ...refusal, message: 'taken' })
    expect(owner.onRefused.mock.calls).toStrictEqual([['STREAM_BUSY', 'taken', undefined]])
    hub.unpublish(publisher)
    expect(hub.size).toBe(0)
    expect(sent.length).toBe(1)
  })

  test('that is taken away leaves its back-source without a publisher', async () => {
    const { hub, path, sent } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    const { story, attach } = backSource(path)
    attach(publisher.id, 7)
    await vi.waitFor(() => expect(owner.onAttached).toHaveBeenCalled())
    const revoked = { t: 'publish-revoked', publishId: publisher.id, message: 'by hand' } as const
    hub.onMessage({ ...revoked, code: 'CLIENT_KICKED' })
    expect(owner.onRevoked.mock.calls).toStrictEqual([['CLIENT_KICKED', 'by hand']])
    hub.unpublish(publisher)
    await vi.waitFor(() => expect(story).toStrictEqual(['restart 7 c1', 'idle 7']))
    expect(sent.length).toBe(1)
  })

  test('that another takes over is forgotten, and its back-source hears nothing more of it', async () => {
    const { hub, path, sent } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    const { story, attach } = backSource(path)
    attach(publisher.id, 7)
    await vi.waitFor(() => expect(owner.onAttached).toHaveBeenCalled())
    hub.onMessage({
      t: 'publish-revoked',
      publishId: publisher.id,
      code: 'STREAM_REPLACED',
      message: 'by c2',
    })
    expect(owner.onRevoked.mock.calls).toStrictEqual([['STREAM_REPLACED', 'by c2']])
    publisher.relay(keyFrame(0))
    hub.unpublish(publisher)
    attach(publisher.id, 9)
    await vi.waitFor(() => expect(story).toStrictEqual(['restart 7 c1', 'gone 9']))
    expect(sent.length).toBe(1)
  })

  test('is alive as long as it is here and its encoder connected', async () => {
    const { hub } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    expect(await hub.isAlive(publisher.id)).toBe(true)
    owner.isConnected.mockReturnValue(false)
    expect(await hub.isAlive(publisher.id)).toBe(false)
    owner.isConnected.mockReturnValue(true)
    hub.unpublish(publisher)
    expect(await hub.isAlive(publisher.id)).toBe(false)
    expect(await hub.isAlive(99)).toBe(false)
  })

  test('is not alive when its encoder’s last bytes are read first, and then its end', async () => {
    const { hub } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    owner.readOn
      .mockImplementationOnce(() => {})
      .mockImplementationOnce(() => setImmediate(() => hub.unpublish(publisher)))
    expect(await hub.isAlive(publisher.id)).toBe(false)
  })

  test('that nobody knows is gone', async () => {
    const { path } = await setUp()
    const { story, attach } = backSource(path)
    attach(99, 7)
    await vi.waitFor(() => expect(story).toStrictEqual(['gone 7']))
  })
})

describe('a publisher that takes a stream over', () => {
  test('is not mixed with the one before, though that one has not heard of it yet', async () => {
    const { hub, path } = await setUp()
    const [first, second] = [newOwner(), newOwner()]
    const before = hub.publish(wish, first)
    const after = hub.publish({ ...wish, connectionId: 'c2' }, second)
    const { story, attach } = backSource(path)
    attach(before.id, 7)
    await vi.waitFor(() => expect(first.onAttached).toHaveBeenCalled())
    attach(after.id, 7)
    await vi.waitFor(() => expect(second.onAttached).toHaveBeenCalled())
    before.relay(keyFrame(0, 'before'))
    after.relay(keyFrame(0, 'after'))
    hub.unpublish(before)
    hub.unpublish(after)
    await vi.waitFor(() => expect(story.at(-1)).toBe('idle 7'))
    expect(story).toStrictEqual(['restart 7 c1', 'restart 7 c2', '7: after', 'idle 7'])
  })
})

describe('a back-source that is lost', () => {
  test('is waited for: another one attaches, and the encoder notices nothing', async () => {
    const { hub, path, lines } = await setUp()
    const owner = newOwner()
    const publisher = hub.publish(wish, owner)
    const lost = backSource(path)
    lost.attach(publisher.id, 7)
    await vi.waitFor(() => expect(owner.onAttached).toHaveBeenCalledTimes(1))
    publisher.relay(videoHeader('avc'))
    lost.client.close()
    await vi.waitFor(() => expect(publisher.channel).toBeNull())
    expect(lines).toMatchObject([{ level: 40, cid: 'c1', stream: 'a/b/c' }])
    const next = backSource(path)
    next.attach(publisher.id, 7)
    await vi.waitFor(() => expect(next.story).toStrictEqual(['restart 7 c1', '7: avc']))
    expect(owner.onAttached).toHaveBeenCalledTimes(2)
    expect(owner.onRevoked).not.toHaveBeenCalled()
  })

  test('concerns only the publishers it pulled', async () => {
    const { hub, path } = await setUp()
    const [one, other] = [newOwner(), newOwner()]
    const stays = hub.publish(wish, one)
    const loses = hub.publish({ ...wish, stream: 'a/b/d' }, other)
    const [living, dying] = [backSource(path), backSource(path)]
    living.attach(stays.id, 7)
    dying.attach(loses.id, 8)
    await vi.waitFor(() => expect(one.onAttached).toHaveBeenCalled())
    await vi.waitFor(() => expect(other.onAttached).toHaveBeenCalled())
    dying.client.close()
    await vi.waitFor(() => expect(loses.channel).toBeNull())
    expect(stays.channel).not.toBeNull()
  })
})
