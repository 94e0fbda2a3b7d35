import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { AccessPipeline } from '../../src/access/access-pipeline.ts'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { PlayerHub } from '../../src/pull/player-hub.ts'
import { formatRoute, hopOf, routeField } from '../../src/rtmp/forward-route.ts'
import { Connection, type ConnectionHost } from '../../src/stream/connection.ts'
import { PublisherHub } from '../../src/stream/publisher-hub.ts'
import { ReadClock } from '../../src/stream/read-clock.ts'
import { configOf } from '../support/config.ts'
import { silentLogger } from '../support/logger.ts'
import { tempDir } from '../support/temp-dir.ts'

/** A connection of a real client, to a worker without a process. */
async function connected(text: string, vhost: string, name = 'x', route = '') {
  const asked: ToMaster[] = []
  const config = configOf(text)
  const host: ConnectionHost = {
    config,
    serverId: 's1',
    access: new AccessPipeline(silentLogger, [], []),
    logger: silentLogger,
    readClock: new ReadClock(),
    players: new PlayerHub(config, silentLogger, (message) => asked.push(message)),
    publishers: new PublisherHub(join(tempDir(), 's1.sock'), silentLogger, (message) => asked.push(message)),
    identity: () => ({}),
    onClosed: () => {},
  }
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const { port } = server.address() as AddressInfo
  const tcUrl = `rtmp://${vhost}/live`
  const connecting = RtmpClient.connect(`rtmp://127.0.0.1:${port}/live/${name}`, {
    tcUrl,
    connectFields: { [routeField]: route },
  })
  const [socket] = await accepted
  const connection = new Connection('c1', socket, host)
  const setNoDelay = vi.spyOn(connection.socket, 'setNoDelay')
  onTestFinished(() => connection.close(null))
  connection.onAdmission(null)
  const client = await connecting
  onTestFinished(() => client.close())
  return { client, connection, asked, noDelay: () => setNoDelay.mock.calls.map(([enabled]) => enabled) }
}

describe('tcp_nodelay', () => {
  const rest = 'vhost __defaultVhost__ { }'

  test('is set as the vhost of the connection says, and follows a reload', async () => {
    const { connection, noDelay } = await connected(
      `${rest} vhost a.example { tcp_nodelay off; }`,
      'a.example',
    )
    expect(noDelay()).toStrictEqual([false])
    connection.reload(configOf(`${rest} vhost a.example { tcp_nodelay on; }`))
    expect(noDelay()).toStrictEqual([false, true])
  })

  test('is that of the vhost which takes the others, when the connection’s own is gone', async () => {
    const { connection, noDelay } = await connected(
      `${rest} vhost a.example { tcp_nodelay off; }`,
      'a.example',
    )
    connection.reload(configOf(rest))
    expect(noDelay()).toStrictEqual([false, true])
  })

  test('is that of the vhost in the name of the stream, when that has one', async () => {
    const text = `${rest} vhost a.example { tcp_nodelay off; }`
    const { client, connection, noDelay } = await connected(text, 'b.example', 'x?vhost=a.example')
    await client.play()
    expect(noDelay()).toStrictEqual([true, false])
    connection.reload(configOf(`${rest} vhost a.example { tcp_nodelay on; }`))
    expect(noDelay()).toStrictEqual([true, false, true])
  })

  test('stays when no vhost is left', async () => {
    const { connection, noDelay } = await connected(rest, 'a.example')
    connection.reload(configOf('vhost b.example { }'))
    expect(noDelay()).toStrictEqual([true])
  })
})

describe('a stream that another server forwards', () => {
  const stream = '__defaultVhost__/live/x'

  test('is refused where it comes from, and the forwarder is told the code', async () => {
    const route = formatRoute([hopOf('s1', stream), hopOf('s2', stream)])
    const { client, asked } = await connected('', 'a.example', 'x', route)
    await expect(client.publish()).rejects.toThrow('FORWARD_LOOP')
    expect(asked).toStrictEqual([])
  })

  test('is taken elsewhere, or as another stream', async () => {
    const route = formatRoute([hopOf('s2', stream), hopOf('s1', '__defaultVhost__/live/y')])
    const { client, asked } = await connected('', 'a.example', 'x', route)
    // Nobody answers it: that the master is asked is what counts.
    void client.publish().catch(() => {})
    await vi.waitFor(() => expect(asked).toMatchObject([{ t: 'publish', stream }]))
  })
})

describe('a stream that another server plays', () => {
  const stream = '__defaultVhost__/live/x'

  test('is refused to a server that this one has it from', async () => {
    const route = formatRoute([hopOf('s2', stream), hopOf('s1', stream)])
    const { client, asked } = await connected('', 'a.example', 'x', route)
    await expect(client.play()).rejects.toThrow('UPSTREAM_LOOP')
    expect(asked).toStrictEqual([])
  })

  test('is looked for with the word of who has it from here', async () => {
    const route = [hopOf('s2', stream), hopOf('s1', '__defaultVhost__/live/y')]
    const { client, asked } = await connected('', 'a.example', 'x', formatRoute(route))
    await client.play()
    expect(asked[0]).toStrictEqual({ t: 'watch', stream, route })
  })

  test('may go to any number of servers', async () => {
    const route = Array.from({ length: 40 }, (_, index) => hopOf(`e${index}`, stream))
    const { client, asked } = await connected('', 'a.example', 'x', formatRoute(route))
    await client.play()
    expect(asked[0]).toStrictEqual({ t: 'watch', stream, route })
  })
})
