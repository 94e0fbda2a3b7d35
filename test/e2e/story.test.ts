import { expect, test } from 'vitest'
import { LivePair } from './support/live-pair.ts'
import type { LogLine } from './support/log.ts'
import { type Server, startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

/** What an operator sees who greps the log for a connection's id, without the lines that are repeated. */
function story(server: Server, id: string): LogLine[] {
  const isAboutIt = ({ cid, sid }: LogLine): boolean => cid === id || sid === id
  return server.logs().filter((line) => isAboutIt(line) && !String(line.msg).includes('going on'))
}

function messages(lines: readonly LogLine[], role: string): unknown[] {
  return lines.filter((line) => line.role === role).map(({ msg }) => msg)
}

test('the story of a publisher and its player', async () => {
  const server = await startServer({ settings: { pithy_print_ms: 100 } })
  const { publisher, player } = await LivePair.start(server.url('one'))
  const [published, played] = [publisher.served.connectionId, player.served.connectionId]
  await server.waitForLog({ msg: 'publish: going on', cid: published })
  const line = await server.waitForLog({ msg: 'play: going on', cid: played, sid: published })
  expect(line).toMatchObject({ stream: 'live/one', kbpsIn: expect.any(Number), kbpsOut: expect.any(Number) })
  await player.close()
  await publisher.close()
  await server.waitForLog({ msg: 'closed', cid: played })
  await server.waitForLog({ msg: 'closed', cid: published })
  await server.waitForLog({ msg: 'source: publisher left', sid: published })

  const told = story(server, published)
  // On a busy machine the spare back-source may not be there yet: the line that says so is repeated until it is.
  const own = told.filter(({ cid, msg }) => cid === published && !msg.startsWith('publish: waiting'))
  expect(messages(own, 'stream')).toEqual([
    'accepted',
    'handshake done',
    'connect',
    'publish',
    'publish accepted',
    'unpublish',
    'closed',
  ])
  expect(own[2]).toMatchObject({ vhost: '__defaultVhost__', host: '127.0.0.1', app: 'live' })
  expect(messages(told, 'master')).toEqual(['source: opened'])
  expect(messages(told, 'back-source')).toEqual([
    'source: publisher attached',
    'source: video',
    'source: audio',
    'source: publisher left',
  ])
  const ownOfPlayer = story(server, played).filter(({ msg }) => !msg.startsWith('play: waiting'))
  expect(messages(ownOfPlayer, 'stream')).toEqual([
    'accepted',
    'handshake done',
    'connect',
    'play',
    'stop',
    'closed',
  ])
})

test('the last line of a connection that breaks tells what it did', async () => {
  const server = await startServer()
  const { publisher, player } = await LivePair.start(server.url('one'))
  server.master.signal('SIGTERM')
  await server.hasEnded()
  const lastOf = (id: string): unknown => story(server, id).findLast(({ cid }) => cid === id)
  const common = { msg: 'closed', reason: 'the server stops', stream: 'live/one', dropped: 0 }
  expect(lastOf(publisher.served.connectionId)).toMatchObject({ ...common, packets: expect.any(Number) })
  const sid = publisher.served.connectionId
  expect(lastOf(player.served.connectionId)).toMatchObject({ ...common, sid })
})

test('players that wait for a stream: the log tells when it comes', async () => {
  const server = await startServer({ settings: { pithy_print_ms: 100 } })
  const player = await TestPlayer.play(server.url('one'))
  const cid = player.served.connectionId
  expect(await server.waitForLog({ msg: 'play', cid })).toMatchObject({ waiting: true })
  await server.waitForLog({ msg: 'play: waiting for the stream', cid })
  const publisher = await TestPublisher.publish(server.url('one'))
  const sid = publisher.served.connectionId
  expect(await server.waitForLog({ msg: 'play: the source is there', sid })).toMatchObject({
    stream: 'live/one',
    players: 1,
  })
})
