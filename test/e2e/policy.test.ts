import { expect, onTestFinished, test } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { publishFile } from './support/ffmpeg.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { framesOf, fromFrame, gapsIn, stepsOf } from './support/played.ts'
import { startServer } from './support/server.ts'
import { headers } from './support/synthetic.ts'
import { servedBy, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'

test('reject: a second publisher is refused, and the first goes on undisturbed', async () => {
  const server = await startServer({ workers: 2, vhost: 'publish { policy reject; }' })
  const live = await LivePair.start(server.url('one'))
  const second = publishFile(media().clip, server.url('one'))
  const { status } = await within('the second publisher to be refused', second.exited)
  expect(status).not.toBe(0)
  expect(await server.waitForLog({ msg: 'publish refused' })).toMatchObject({
    code: 'STREAM_BUSY',
    reason: expect.stringContaining(live.publisher.served.connectionId),
  })
  await live.goesOn()
})

// With a long mr_latency nothing is read from an encoder most of the time, not even that it is gone.
test.each(['auto', '10000'])(
  'reject: an encoder that comes back at once, to another worker, has its stream again (mr_latency %s)',
  async (latency) => {
    const vhost = `publish { policy reject; mr_latency ${latency}; }`
    const server = await startServer({ workers: 2, vhost })
    for (let round = 0; round < 10; round += 1) {
      const url = server.url(`stream${round}`)
      const first = await TestPublisher.publish(url)
      await first.send(headers())
      const again = await connectElsewhere(url, first.served.workerPid)
      // The end of the first connection is on its way to its worker when the second publish is.
      process.kill(first.served.workerPid, 'SIGSTOP')
      first.stop()
      const published = again.publish()
      process.kill(first.served.workerPid, 'SIGCONT')
      await published
      again.close()
    }
    expect(server.logs().filter(({ msg }) => msg === 'publish refused')).toEqual([])
  },
)

for (const policy of ['replace', 'resume']) {
  test(`${policy}: a second publisher from the same address takes over, and players stay`, async () => {
    const server = await startServer({ workers: 2, vhost: `publish { policy ${policy}; }` })
    const first = publishFile(media().clip, server.url('one'), { loop: true })
    const player = await TestPlayer.play(server.url('one'))
    await player.has(50)
    const second = await TestPublisher.publish(server.url('one'))
    second.goLive()
    const { status } = await within('the first publisher to be closed', first.exited)
    expect(status).not.toBe(0)
    const taken = await server.waitForLog({ code: 'STREAM_REPLACED' })
    expect(taken.reason).toContain(second.served.connectionId)
    const begin = framesOf(second.sent)[0]!
    await player.hasFrame(begin)
    await player.hasMore(50)
    expect(gapsIn(fromFrame(player.packets, begin), second.sent)).toEqual([])
    expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
  })
}

test('resume: a publisher from another address is refused', async () => {
  const server = await startServer({ vhost: 'publish { policy resume; }' })
  await TestPublisher.publish(server.url('one'))
  const elsewhere = server.url('one').replace('127.0.0.1', '[::1]')
  await expect(TestPublisher.publish(elsewhere)).rejects.toMatchObject({ code: 'RTMP_REJECTED' })
  expect(await server.waitForLog({ msg: 'publish refused' })).toMatchObject({ code: 'STREAM_BUSY' })
})

/** A client that another worker serves; it neither publishes nor plays yet. */
async function connectElsewhere(url: string, workerPid: number): Promise<RtmpClient> {
  return until('a connection to another worker', async () => {
    const client = await RtmpClient.connect(url)
    onTestFinished(() => client.close())
    if (servedBy(client).workerPid !== workerPid) return client
    client.close()
    return null
  })
}
