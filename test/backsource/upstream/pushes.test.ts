import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { LiveStream } from '../../../src/backsource/live-stream.ts'
import { Pushes, withoutVhost } from '../../../src/backsource/upstream/pushes.ts'
import type { PublisherRef, ToMaster } from '../../../src/ipc/contract.ts'
import { getString } from '../../../src/media/amf-value.ts'
import { hopOf } from '../../../src/rtmp/forward-route.ts'
import { type Peer, TinyServer } from '../../client/tiny-server.ts'
import { configOf } from '../../support/config.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { keyFrame } from '../../support/packets.ts'

const servers: TinyServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function origin(change?: (peer: Peer) => void): Promise<{ server: TinyServer; at: string }> {
  const server = new TinyServer(change)
  servers.push(server)
  return { server, at: await server.listen() }
}

const publisher: PublisherRef = {
  ...{ path: '/run/s1.sock', publishId: 1, connectionId: 'enc00001', ip: '10.0.0.1' },
  ...{ param: '?vhost=edge.example&key=k', route: ['hop0hop0hop0'], granted: false },
}

/** A back-source that holds a stream of an edge. */
function setUp(cluster = '') {
  const { logger, lines } = recordingLogger()
  const sent: ToMaster[] = []
  const name = 'edge.example'
  const config = configOf(`vhost ${name} { cluster { mode remote; origin a; ${cluster} } }`)
  const owner = {
    ...{ config, logger, serverId: 's1', ownToken: '' },
    hooks: { onDvr: () => {}, onHls: () => {} },
    send: (message: ToMaster) => sent.push(message),
    onDisconnect: () => expect.unreachable(),
  }
  const live = new LiveStream(`${name}/live/x y`, 7, config.vhosts[name]!, logger, owner)
  const pushes = new Pushes(owner)
  onTestFinished(async () => {
    await pushes.stop(7)
    await live.close()
  })
  const attach = vi.fn()
  return {
    live,
    pushes,
    sent,
    lines,
    attach,
    attached: () => eventually(() => expect(attach).toHaveBeenCalled()),
  }
}

describe('the publisher of an edge', () => {
  test('is attached when the origin takes it, which hears who it is', async () => {
    const { server, at } = await origin()
    const { live, pushes, attach, sent, attached } = setUp('vhost far.[vhost];')
    pushes.push(live, [at], publisher, attach)
    expect(attach).not.toHaveBeenCalled()
    await attached()
    const { connect, publish } = server.peers[0]!
    expect(connect).toMatchObject({
      tcUrl: `rtmp://far.edge.example:${at.split(':')[2]}/live`,
      route: ['hop0hop0hop0', hopOf('s1', live.stream)],
    })
    expect(getString(connect!.args, 'srs_id')).toBe('enc00001')
    expect(publish).toMatchObject({ vhost: 'far.edge.example', stream: 'x y', param: '?key=k' })
    expect(sent).toEqual([{ t: 'upstream-health', address: at, ok: true }])
  })

  test('tells nobody who it is where debug_srs_upnode is off', async () => {
    const { server, at } = await origin()
    const { live, pushes, attach, attached } = setUp('debug_srs_upnode off;')
    pushes.push(live, [at], publisher, attach)
    await attached()
    expect(server.peers[0]!.connect?.args).toBeNull()
  })

  test('that the origin refuses is closed with its reason', async () => {
    const { at } = await origin(({ handler, session }) => {
      handler.onPublish = ({ streamId }) =>
        session.rejectPublish(streamId, 'NetStream.Publish.BadName', 'busy')
    })
    const { live, pushes, attach, sent } = setUp()
    pushes.push(live, [at], publisher, attach)
    const message = 'NetStream.Publish.BadName: busy'
    await eventually(() =>
      expect(sent).toContainEqual({ t: 'disconnect', source: 7, code: 'PUSH_REFUSED', message }),
    )
    expect(attach).not.toHaveBeenCalled()
    expect(pushes.status(7)).toBeNull()
  })

  test('with a verdict from before is attached at once', async () => {
    const { at } = await origin()
    const { live, pushes, attach } = setUp()
    pushes.push(live, [at], { ...publisher, granted: true }, attach)
    expect(attach).toHaveBeenCalledOnce()
    await eventually(() => expect(pushes.status(7)?.address).toBe(at))
    expect(attach).toHaveBeenCalledOnce()
  })
})

describe('the end of a publisher', () => {
  test('is the end at the origin', async () => {
    const { server, at } = await origin()
    const { live, pushes, attach, attached } = setUp()
    pushes.push(live, [at], publisher, attach)
    await attached()
    live.publish('enc00001')
    pushes.begin(7)
    live.push(keyFrame(0))
    pushes.leave(7, 'has-left')
    await eventually(() => expect(server.peers[0]).toMatchObject({ ended: ['unpublish'] }))
    expect(server.peers[0]?.packets).toHaveLength(1)
    expect(pushes.status(7)).toBeNull()
  })

  test('that was told late does not end the one that waits after it', async () => {
    const { server, at } = await origin()
    const { live, pushes, attach, attached } = setUp()
    pushes.push(live, [at], publisher, attach)
    for (const how of ['has-left', 'never-came'] as const) pushes.leave(7, how)
    await attached()
    pushes.leave(7, 'has-left')
    expect(pushes.status(7)).not.toBeNull()
    // Now it has been asked for its stream, and the answer is that it is gone.
    pushes.leave(7, 'never-came')
    await eventually(() => expect(server.peers[0]?.ended).toEqual(['unpublish']))
  })

  test('comes before the beginning of the next one: the origin has one at a time', async () => {
    const { server, at } = await origin()
    const { live, pushes, attach } = setUp()
    for (const times of [1, 2]) {
      pushes.push(live, [at], publisher, attach)
      await eventually(() => expect(attach).toHaveBeenCalledTimes(times))
      pushes.begin(7)
    }
    expect(server.peers.map(({ ended }) => ended)).toEqual([['unpublish'], []])
  })
})

describe('a changed configuration', () => {
  test('begins, moves and ends what is passed on, while the publisher goes on', async () => {
    const [a, b] = [await origin(), await origin()]
    const { live, pushes } = setUp()
    live.publisher = publisher
    live.publish('enc00001')
    live.push(keyFrame(0))
    pushes.change(live, [a.at], live.publisher)
    await eventually(() => expect(a.server.peers[0]?.packets).toHaveLength(1))
    pushes.change(live, [b.at], live.publisher)
    await eventually(() => expect(b.server.peers[0]?.packets).toHaveLength(1))
    pushes.change(live, null, live.publisher)
    await eventually(() => expect(b.server.peers[0]?.ended).toEqual(['unpublish']))
    expect(a.server.peers[0]?.ended).toEqual(['unpublish'])
    expect(live.publishing).toBe(true)
  })

  test('begins nothing where nobody publishes', async () => {
    const { server, at } = await origin()
    const { live, pushes } = setUp()
    pushes.change(live, [at], null)
    expect(pushes.status(7)).toBeNull()
    expect(server.peers).toHaveLength(0)
  })
})

test.each([
  ['?vhost=a&key=k', '?key=k'],
  ['?key=k&vhost=a', '?key=k'],
  ['?vhost=a', ''],
  ['', ''],
  ['?a=1&b=2', '?a=1&b=2'],
])('the virtual host of an edge is no business of the origin: %s', (param, kept) => {
  expect(withoutVhost(param)).toBe(kept)
})
