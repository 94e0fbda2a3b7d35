import { expect, test } from 'vitest'
import { readFlvFile } from '../../src/client/flv-file.ts'
import type { ForwardStatus } from '../../src/ipc/forward-facts.ts'
import { FfmpegPlayer, framesOfFile } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { startNginxRtmp } from './support/nginx-rtmp.ts'
import { backSourcesOf, Server, startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

async function forwardsOf(server: Server, stream: string): Promise<ForwardStatus[]> {
  const held = backSourcesOf(await server.status(), stream).flatMap(({ streams }) => streams)
  return held.filter((one) => one.stream.endsWith(`/${stream}`)).flatMap(({ forwards = [] }) => forwards)
}

test('nginx-rtmp and another Weir get every frame; a stream goes back to no server; a reload changes where it goes', async () => {
  const nginx = await startNginxRtmp()
  const origin = await Server.prepare()
  const copy = await startServer({ vhost: `forward 127.0.0.1:${origin.port}; publish { policy replace; }` })
  const everywhere = `127.0.0.1:${nginx.port} 127.0.0.1:${copy.port}`
  const forwardTo = (destinations: string): void =>
    // A forward that came back would take the stream over from its own publisher.
    origin.configure({
      settings: { pithy_print_ms: 200 },
      vhost: `forward ${destinations}; publish { policy replace; }`,
    })
  forwardTo(`${everywhere} 127.0.0.1:${origin.port}`)
  await origin.start()

  const player = new FfmpegPlayer(copy.url('one'))
  await copy.waitForLog({ msg: 'play' })
  const publisher = await TestPublisher.publish(origin.url('one'))
  for (const port of [nginx.port, copy.port]) {
    const destination = `127.0.0.1:${port}`
    await origin.waitForLog({ msg: 'forward: the stream is forwarded', destination })
  }
  for await (const packet of readFlvFile(media().clip)) await publisher.send([packet])
  const { video, audio } = await framesOfFile(media().clip)
  const played = await player.has(video.frames.length, audio.frames.length)
  await publisher.close()
  const recorded = await until('nginx to finish its recording', async () => {
    // While it is being written, its last tag may be broken.
    const tracks = await framesOfFile(nginx.recording('one')).catch(() => null)
    return tracks !== null && tracks.video.frames.length >= video.frames.length && tracks
  })
  for (const arrived of [played, recorded]) {
    expect(arrived.video.description).toEqual(video.description)
    expect(arrived.audio.description).toEqual(audio.description)
    expect(fromZero(arrived.video.frames)).toEqual(fromZero(video.frames))
    expect(fromZero(arrived.audio.frames)).toEqual(fromZero(audio.frames))
  }
  for (const server of [origin, copy]) {
    const refusal = await server.waitForLog({ msg: 'forward: refused, the stream has come from there' })
    expect(refusal).toMatchObject({ code: 'FORWARD_LOOP', destination: `127.0.0.1:${origin.port}` })
  }
  await copy.waitForLog({ msg: 'source: publisher left' })

  const live = await LivePair.start(origin.url('two'))
  const far = await TestPlayer.play(copy.url('two'))
  await far.has(20)
  forwardTo(`127.0.0.1:${nginx.port}`)
  await origin.reload()
  await copy.waitForStatus('the end of the forward', (status) =>
    backSourcesOf(status, 'two').every(({ streams }) => streams.every(({ publishing }) => !publishing)),
  )
  expect(await forwardsOf(origin, 'two')).toMatchObject([
    { destination: `127.0.0.1:${nginx.port}`, state: 'forwarding', retries: 0 },
  ])
  forwardTo(everywhere)
  await origin.reload()
  await far.hasMore(20)
  expect(await forwardsOf(origin, 'two')).toMatchObject([
    { state: 'forwarding', retries: 0, lastError: null },
    { state: 'forwarding', retries: 0, lastError: null },
  ])
  await live.goesOn()
  for (const port of [nginx.port, copy.port]) {
    await origin.waitForLog({ msg: 'forward: going on', destination: `127.0.0.1:${port}` })
  }
  origin.configure({})
  await origin.reload()
  expect(await forwardsOf(origin, 'two')).toEqual([])
  await live.goesOn()
})
