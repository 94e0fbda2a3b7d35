import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Verdict } from '../../src/access/access-check.ts'
import { RememberedCheck } from '../../src/access/remembered-check.ts'
import type { VhostConfig } from '../../src/config/config.ts'
import { TokenTraverse } from '../../src/edge/token-traverse.ts'
import { amfObject, getString } from '../../src/media/amf-value.ts'
import { redirectTo } from '../../src/rtmp/redirect.ts'
import { type Peer, TinyServer } from '../client/tiny-server.ts'
import { accessRequest, FakeCheck } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { memoryInUse } from '../support/memory-in-use.ts'

const servers: TinyServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** An origin; `host:port` as a configuration has it. */
async function origin(change?: (peer: Peer) => void): Promise<{ address: string; server: TinyServer }> {
  const server = new TinyServer(change)
  servers.push(server)
  return { address: (await server.listen()).slice('rtmp://'.length), server }
}

function refusing(reason: string): (peer: Peer) => void {
  return ({ handler, session }) => {
    handler.onConnect = () => session.rejectConnect('NetConnection.Connect.Rejected', reason)
  }
}

/** One that is gone: nobody listens at its address. */
async function deadOrigin(): Promise<string> {
  const { address, server } = await origin()
  server.close()
  return address
}

function edgeOf(...origins: string[]): VhostConfig {
  return vhostConfigOf(`cluster { mode remote; token_traverse on; origin ${origins.join(' ')}; }`)
}

function setUp() {
  const { logger, lines } = recordingLogger()
  return { traverse: new TokenTraverse(logger), lines }
}

describe('who is asked about', () => {
  test.each([
    ['mode remote; token_traverse on; origin a;', true],
    ['mode remote; token_traverse off; origin a;', false],
    ['mode local; token_traverse on; origin a;', false],
  ])('%s', (section, applies) => {
    const vhost = vhostConfigOf(`cluster { ${section} }`)
    const { traverse } = setUp()
    expect(traverse.applies('play', vhost)).toBe(applies)
    expect(traverse.applies('publish', vhost)).toBe(applies)
    expect(traverse.applies('connect', vhost)).toBe(false)
  })
})

describe('the origin', () => {
  test('is told what the client told the edge', async () => {
    const { address, server } = await origin()
    const { traverse, lines } = setUp()
    const request = accessRequest({
      tcUrl: 'rtmp://v.example/live/room?token=in-the-app',
      app: 'live/room',
      param: '?token=in-the-app',
      pageUrl: 'http://page.example/',
      swfUrl: 'http://page.example/p.swf',
      connectArgs: amfObject({ key: 'third' }),
    })
    expect(await traverse.check(request, edgeOf(address))).toEqual({ ok: true })
    const { connect, publish, play } = server.peers[0]!
    expect(connect).toMatchObject({
      tcUrl: 'rtmp://v.example/live/room?token=in-the-app',
      app: 'live/room?token=in-the-app',
      pageUrl: 'http://page.example/',
      swfUrl: 'http://page.example/p.swf',
    })
    expect(getString(connect?.args, 'key')).toBe('third')
    expect([publish, play]).toEqual([null, null])
    expect(lines).toContainEqual(
      expect.objectContaining({ cid: 'c1', origin: `rtmp://${address}`, originCid: '31' }),
    )
  })

  test('sees a token that stands behind the stream, and of HTTP an address of RTMP', async () => {
    const { address, server } = await origin()
    const { traverse } = setUp()
    const tcUrl = 'http://edge.example:8080/live'
    const request = accessRequest({ tcUrl, param: '?token=1', protocol: 'http-flv' })
    expect(await traverse.check(request, edgeOf(address))).toEqual({ ok: true })
    expect(server.peers[0]?.connect).toMatchObject({
      tcUrl: 'rtmp://edge.example/live?token=1',
      app: 'live?token=1',
      address: { vhost: 'edge.example', app: 'live', param: '?token=1' },
    })
  })

  test('refuses: its reason is the client’s', async () => {
    const { address } = await origin(refusing('no such token'))
    expect(await setUp().traverse.check(accessRequest(), edgeOf(address))).toEqual({
      ok: false,
      code: 'TRAVERSE_REFUSED',
      message: 'the origin refuses: NetConnection.Connect.Rejected: no such token',
    })
  })

  test('sends on: the other one decides', async () => {
    const other = await origin(refusing('not here either'))
    const stream = { vhost: '__defaultVhost__', app: 'live', stream: 'x', param: '' }
    const first = await origin(({ handler, session }) => {
      handler.onConnect = () => session.redirectConnect(redirectTo(`rtmp://${other.address}`, stream))
    })
    expect(await setUp().traverse.check(accessRequest(), edgeOf(first.address))).toMatchObject({
      code: 'TRAVERSE_REFUSED',
      message: expect.stringContaining('not here either'),
    })
  })

  test('is let go when it has decided', async () => {
    const { address, server } = await origin()
    await setUp().traverse.check(accessRequest(), edgeOf(address))
    await vi.waitFor(() => expect(server.peers[0]?.socket.destroyed).toBe(true))
  })
})

describe('of several origins', () => {
  test('a dead one is passed over, and asked last from then on', async () => {
    const [dead, live] = [await deadOrigin(), await origin()]
    const { traverse, lines } = setUp()
    for (let count = 0; count < 4; count++) {
      expect(await traverse.check(accessRequest(), edgeOf(dead, live.address))).toEqual({ ok: true })
    }
    expect(live.server.peers).toHaveLength(4)
    const warnings = lines.filter(({ code }) => code === 'RTMP_CLOSED')
    expect(warnings).toEqual([expect.objectContaining({ origin: `rtmp://${dead}` })])
  })

  test('each has its turn', async () => {
    const [a, b] = [await origin(), await origin()]
    const { traverse } = setUp()
    const vhost = edgeOf(a.address, b.address)
    for (let count = 0; count < 4; count++) await traverse.check(accessRequest(), vhost)
    expect([a.server.peers.length, b.server.peers.length]).toEqual([2, 2])
  })

  test('a refusal is final', async () => {
    const [a, b] = [await origin(refusing('no')), await origin()]
    const verdict = await setUp().traverse.check(accessRequest(), edgeOf(a.address, b.address))
    expect(verdict).toMatchObject({ code: 'TRAVERSE_REFUSED' })
    expect(b.server.peers).toHaveLength(0)
  })

  test.each([
    ['none that speaks RTMP', ['http://192.0.2.1:8080'], 'no origin of this virtual host speaks RTMP'],
    ['none that is there', null, 'no origin could be asked'],
  ])('%s: nobody gets in', async (_, origins, message) => {
    const vhost = edgeOf(...(origins ?? [await deadOrigin(), await deadOrigin()]))
    expect(await setUp().traverse.check(accessRequest(), vhost)).toEqual({
      ok: false,
      code: 'TRAVERSE_FAILED',
      message,
    })
  })
})

test('of a crowd only so many are asked about at once', async () => {
  const waiting: Peer[] = []
  const { address, server } = await origin((peer) => {
    peer.handler.onConnect = () => waiting.push(peer)
  })
  const traverse = new TokenTraverse(recordingLogger().logger, 3)
  const vhost = edgeOf(address)
  const verdicts = Array.from({ length: 9 }, () => traverse.check(accessRequest(), vhost))
  for (const come of [3, 6, 9]) {
    await vi.waitFor(() => expect(waiting).toHaveLength(3), { timeout: 2500 })
    expect(server.peers).toHaveLength(come)
    for (const { session } of waiting.splice(0)) session.acceptConnect()
  }
  expect(await Promise.all(verdicts)).toEqual(Array(9).fill({ ok: true }))
})

describe('for files of HLS', () => {
  const vhost = vhostConfigOf()

  test('a verdict counts for a while, for that client, stream and query alone', async () => {
    const check = new FakeCheck()
    const remembered = new RememberedCheck(check)
    for (let count = 0; count < 3; count++) {
      expect(await remembered.check(accessRequest(), vhost)).toMatchObject({ ok: true })
    }
    expect(check.asked).toHaveLength(1)
    for (const other of [{ ip: '10.0.0.2' }, { stream: 'y' }, { param: '?token=2' }, { bearer: 't' }]) {
      await remembered.check(accessRequest(other), vhost)
    }
    expect(check.asked).toHaveLength(5)
  })

  test('a crowd that asks at once asks once', async () => {
    const check = new FakeCheck()
    check.waits = true
    const remembered = new RememberedCheck(check)
    const verdicts = [1, 2, 3].map(() => remembered.check(accessRequest(), vhost))
    const refused: Verdict = { ok: false, code: 'TRAVERSE_REFUSED', message: 'no' }
    check.answer(refused)
    expect(await Promise.all(verdicts)).toEqual([refused, refused, refused])
    expect(check.asked).toHaveLength(1)
  })

  test('a verdict ends: sooner if it refused', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const check = new FakeCheck()
    const remembered = new RememberedCheck(check)
    await remembered.check(accessRequest(), vhost)
    vi.advanceTimersByTime(29_000)
    await remembered.check(accessRequest(), vhost)
    expect(check.asked).toHaveLength(1)
    vi.advanceTimersByTime(2000)
    check.verdict = { ok: false, code: 'TRAVERSE_REFUSED', message: 'no' }
    await remembered.check(accessRequest(), vhost)
    vi.advanceTimersByTime(4000)
    await remembered.check(accessRequest(), vhost)
    expect(check.asked).toHaveLength(3)
  })

  test('many clients with long queries cost little', async () => {
    const remembered = new RememberedCheck({ name: 'any', applies: () => true, check: () => ({ ok: true }) })
    const before = memoryInUse()
    for (let count = 0; count < 10_000; count++) {
      await remembered.check(accessRequest({ param: `?token=${count}${'x'.repeat(8000)}` }), vhost)
    }
    expect(memoryInUse() - before).toBeLessThan(16 * 1024 * 1024)
    // Until here it is kept, with all that it remembers.
    expect(remembered.name).toBe('any')
  })

  test('a check that failed is made again', async () => {
    const check = new FakeCheck()
    const remembered = new RememberedCheck(check)
    check.waits = true
    vi.spyOn(check, 'check').mockRejectedValueOnce(new Error('a bug'))
    await expect(remembered.check(accessRequest(), vhost)).rejects.toThrow('a bug')
    check.waits = false
    expect(await remembered.check(accessRequest(), vhost)).toMatchObject({ ok: true })
  })
})
