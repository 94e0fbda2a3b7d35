import { get, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/base/errors.ts'
import { FfmpegPlayer, framesOfFile, probe, publishFile } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { contentOf, firstVideo, framesOf, gapsIn, stepsOf } from './support/played.ts'
import { isRunning } from './support/processes.ts'
import { type Server, type ServerOptions, startServer, workersOf } from './support/server.ts'
import { sharedServer } from './support/shared-server.ts'
import { frames, headers } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'
import { HttpPlayer, WebSocketPlayer } from './support/web-player.ts'

const remux = 'http_remux { enabled on; }'

function startLiveServer(options: ServerOptions = {}): Promise<Server> {
  return startServer({ httpWorkers: 1, vhost: remux, ...options })
}

/** For tests that leave it as it is, each with a stream of its own. */
const shared = sharedServer({ httpWorkers: 1, vhost: remux })

/** For so long a publish is given out from its very beginning to workers that subscribe, in milliseconds. */
const openingMs = 2100

describe('real players', () => {
  test('ffmpeg plays every frame over HTTP-FLV, byte by byte, with the times it was published with', async () => {
    const server = await startLiveServer({ vhost: 'http_remux { enabled on; hstrs_timeout 60; }' })
    const player = new FfmpegPlayer(server.httpUrl('/live/one.flv'))
    await server.waitForLog({ msg: 'accepted', format: 'http-flv' })
    publishFile(media().clip, server.url('one'), { rate: 6 })
    const { video, audio } = await framesOfFile(media().clip)
    const played = await player.has(video.frames.length, audio.frames.length)
    expect(played.video.description).toEqual(video.description)
    expect(played.audio.description).toEqual(audio.description)
    expect(fromZero(played.video.frames)).toEqual(fromZero(video.frames))
    expect(fromZero(played.audio.frames)).toEqual(fromZero(audio.frames))
  })

  test('ffprobe joins in the middle and sees both tracks, and nothing else', async () => {
    const server = shared()
    publishFile(media().clip, server.url('middle'), { loop: true })
    await (await HttpPlayer.play(server.httpUrl('/live/middle.flv'))).has(100)
    const tracks = await probe(server.httpUrl('/live/middle.flv'))
    expect(tracks.map(({ codec_name }) => codec_name).toSorted()).toEqual(['aac', 'h264'])
  })
})

const players = [
  ['HTTP-FLV', HttpPlayer],
  ['WebSocket-FLV', WebSocketPlayer],
] as const

for (const [name, Player] of players) {
  describe(name, () => {
    test('a viewer that waits for the stream gets every packet', async () => {
      const server = shared()
      const called = `all-${name}`
      const joining = Player.play(server.httpUrl(`/live/${called}.flv`))
      await server.waitForLog({ msg: 'accepted', stream: `live/${called}` })
      const publisher = await TestPublisher.publish(server.url(called))
      const stream = frames()
      await publisher.send([...headers(), ...take(stream, 400)])
      const player = await joining
      await player.has(400)
      expect(player.packets.map(({ md5 }) => md5)).toEqual(publisher.sent.map(({ md5 }) => md5))
      expect(player.content).toEqual({ audio: true, video: true })
    })

    test('a late viewer begins with headers and the current GOP, also when others play other formats', async () => {
      const gopFrames = 50
      const server = shared()
      const called = `late-${name}`
      const publisher = await TestPublisher.publish(server.url(called))
      const [, Other] = players.find(([, candidate]) => candidate !== Player)!
      const joining = Other.play(server.httpUrl(`/live/${called}.flv`))
      await server.waitForLog({ msg: 'accepted', stream: `live/${called}` })
      const stream = frames({ gopFrames })
      await publisher.send([...headers(), ...take(stream, 3 * gopFrames)])
      const early = await joining
      await early.has(3 * gopFrames)
      await delay(openingMs)
      for (const round of ['the first of its format', 'a further one']) {
        const late = await Player.play(server.httpUrl(`/live/${called}.flv`))
        const currentGop = contentOf(publisher.sent).slice(2 * gopFrames)
        expect(contentOf(await late.has(currentGop.length)), round).toEqual(currentGop)
        expect(late.packets.slice(0, 3).map(({ md5 }) => md5)).toEqual(headersOf(publisher))
        expect(firstVideo(late.packets)).toMatchObject({ key: true })
        await publisher.send(take(stream, 10))
        await late.has(currentGop.length + 10)
        expect(gapsIn(late.packets, publisher.sent)).toEqual([])
      }
      await early.has(3 * gopFrames + 20)
      expect(gapsIn(early.packets, publisher.sent)).toEqual([])
    })

    test('a publisher that returns goes on for its viewers; when it stays away their streams end', async () => {
      const server = await startLiveServer({ settings: { source_linger: 3 } })
      const first = await TestPublisher.publish(server.url('one'))
      first.goLive()
      const player = await Player.play(server.httpUrl('/live/one.flv'))
      await player.has(50)
      await first.close()
      const second = await TestPublisher.publish(server.url('one'))
      second.goLive()
      await player.hasFrame(framesOf(second.sent)[0]!)
      await player.hasMore(50)
      expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
      await second.close()
      expect(await player.ended).toBe(Player === HttpPlayer ? 'end' : '1001 the stream ended')
      expect(player.cutOff).toBe(false)
      const line = await server.waitForLog({ role: 'http', msg: 'closed', reason: 'the stream ended' })
      expect(line).toMatchObject({ level: 'info', cid: expect.any(String) })
    })

    test('beside RTMP players: all get the same packets at the same times', async () => {
      const server = shared()
      const called = `beside-${name}`
      const publisher = await TestPublisher.publish(server.url(called))
      const rtmp = await TestPlayer.play(server.url(called))
      const joining = Player.play(server.httpUrl(`/live/${called}.flv`))
      await server.waitForLog({ msg: 'accepted', stream: `live/${called}` })
      await publisher.send([...headers(), ...take(frames(), 200)])
      const web = await joining
      await web.has(200)
      await rtmp.has(200)
      expect(web.frames).toEqual(rtmp.frames)
    })
  })
}

describe('the story of a viewer', () => {
  test('is in the log: accepted, play, closed', async () => {
    const server = shared()
    const { publisher } = await LivePair.start(server.url('story'))
    const player = await HttpPlayer.play(server.httpUrl('/live/story.flv?token=secret'))
    await player.has(20)
    player.close()
    const line = await server.waitForLog({ role: 'http', msg: 'closed', stream: 'live/story' })
    expect(line).toMatchObject({ level: 'info', reason: 'peer closed' })
    expect(line.bytesOut).toBeGreaterThan(1000)
    const story = server.logs().filter(({ cid }) => cid === line.cid)
    expect(story).toMatchObject([
      { msg: 'accepted', ip: '127.0.0.1', stream: 'live/story', format: 'http-flv' },
      { msg: 'play', stream: 'live/story', sid: publisher.served.connectionId, audio: 'AAC', video: 'H264' },
      { msg: 'closed' },
    ])
    expect(JSON.stringify(story)).not.toContain('secret')
  })
})

describe('what is answered', () => {
  test('404 for a stream that is not published; at once without hstrs, and to HEAD', async () => {
    const server = await startLiveServer({ vhost: 'http_remux { enabled on; hstrs off; hstrs_timeout 60; }' })
    const url = server.httpUrl('/live/none.flv')
    const response = await fetch(url)
    expect(response.status).toBe(404)
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*')
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(404)
    await server.waitForLog({ role: 'http', msg: 'closed', code: 'STREAM_ABSENT', level: 'warn' })
    await expect(WebSocketPlayer.play(url)).rejects.toThrow('refused')
    await LivePair.start(server.url('one'))
    await (await HttpPlayer.play(server.httpUrl('/live/one.flv'))).has(10)
  })

  test('404 when hstrs has waited', async () => {
    const server = await startLiveServer({ vhost: 'http_remux { enabled on; hstrs_timeout 500ms; }' })
    expect((await fetch(server.httpUrl('/live/none.flv'))).status).toBe(404)
  })

  test('HEAD tells what a GET would be answered with', async () => {
    const server = shared()
    await LivePair.start(server.url('head'))
    const { status, headers: fields } = await fetch(server.httpUrl('/live/head.flv'), { method: 'HEAD' })
    expect(status).toBe(200)
    expect(fields.get('Content-Type')).toBe('video/x-flv')
    const { headers: ofGet } = (await HttpPlayer.play(server.httpUrl('/live/head.flv'))).response
    expect(ofGet).toMatchObject({ 'content-type': 'video/x-flv', 'access-control-allow-origin': '*' })
    expect(ofGet['transfer-encoding']).toBeUndefined()
    expect(ofGet.connection).toBe('close')
  })

  test('503 when max_connections is reached, and the stream when there is room again', async () => {
    const server = await startLiveServer({ settings: { max_connections: 3 } })
    const live = await LivePair.start(server.url('one'))
    const url = server.httpUrl('/live/one.flv')
    const player = await HttpPlayer.play(url)
    const full = await fetch(url)
    expect(full.status).toBe(503)
    expect(full.headers.get('Retry-After')).not.toBeNull()
    await expect(WebSocketPlayer.play(url)).rejects.toThrow('refused')
    await expect(TestPlayer.play(server.url('one'))).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
    player.close()
    await server.waitForStatus('the viewer to be gone', ({ connections }) => connections === 2)
    await (await HttpPlayer.play(url)).has(10)
    await live.goesOn()
  })

  test('400 for names that there cannot be, 403 for a vhost that is not served', async () => {
    const more = `vhost a.example { ${remux} }`
    const server = await startLiveServer({ vhost: 'enabled off;', more })
    const status = async (path: string): Promise<number | undefined> => (await ask(server, path)).statusCode
    expect(await status('/live/..%2f..%2fx.flv?vhost=a.example')).toBe(400)
    expect(await status('/live/x.flv?vhost=b.example')).toBe(403)
    expect(await status('/live/x.flv')).toBe(404)
  })

  test('an upgrade that is no WebSocket handshake, or comes from another site when that is off, is refused', async () => {
    const server = await startLiveServer()
    await LivePair.start(server.url('one'))
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
    const status = async (path: string, fields: Record<string, string>): Promise<number | undefined> =>
      (await ask(server, path, fields)).statusCode
    const old = { ...handshake, 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Key': key }
    expect(await status('/live/one.flv', handshake)).toBe(400)
    expect(await status('/live/one.flv', old)).toBe(426)
    expect(await status('/other', { ...handshake, 'Sec-WebSocket-Key': key })).toBe(404)
    const section = `enabled on; listen ${server.httpPort}; crossdomain off;`
    server.configure({ vhost: remux, more: `http_server { ${section} } http_api { ${section} }` })
    await server.reload()
    const foreign = { ...handshake, 'Sec-WebSocket-Key': key, Origin: 'https://elsewhere.example' }
    await until('another site to be refused', async () => (await status('/live/one.flv', foreign)) === 403)
    await (await WebSocketPlayer.play(server.httpUrl('/live/one.flv'))).has(10)
  })

  test('an upgrade to something else is passed over: curl may offer HTTP/2', async () => {
    const server = shared()
    const fields = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' }
    expect((await ask(server, '/api/v1/versions', fields)).statusCode).toBe(200)
  })
})

describe('what the stream has', () => {
  test('is announced: audio alone, video alone', async () => {
    const server = shared()
    const only = async (name: string, type: number): Promise<HttpPlayer> => {
      const publisher = await TestPublisher.publish(server.url(name))
      const joining = HttpPlayer.play(server.httpUrl(`/live/${name}.flv`))
      const packets = [...headers(), ...take(frames(), 100)]
      await publisher.send(packets.filter((packet) => packet.type === type || packet.type === 18))
      const player = await joining
      await player.has(50)
      return player
    }
    expect((await only('sound', 8)).content).toEqual({ audio: true, video: false })
    expect((await only('picture', 9)).content).toEqual({ audio: false, video: true })
  })

  test('is what the configuration says with guess_has_av off, and the rest is left out', async () => {
    const settings = 'enabled on; guess_has_av off; has_audio off;'
    const server = await startLiveServer({ vhost: `http_remux { ${settings} }` })
    await LivePair.start(server.url('one'))
    const player = await HttpPlayer.play(server.httpUrl('/live/one.flv'))
    await player.has(50)
    expect(player.content).toEqual({ audio: false, video: true })
    expect(player.frames.filter(({ type }) => type === 8)).toEqual([])
  })
})

describe('when something ends', () => {
  test('a killed HTTP worker is back, and its viewers come again; RTMP does not notice', async () => {
    const server = await startLiveServer()
    const live = await LivePair.start(server.url('one'))
    const url = server.httpUrl('/live/one.flv')
    const player = await HttpPlayer.play(url)
    await player.has(20)
    const [worker] = workersOf(await server.status(), 'http')
    process.kill(worker!.pid, 'SIGKILL')
    await player.ended
    const again = await until('a viewer on the new worker', async () => {
      try {
        return await HttpPlayer.play(url)
      } catch (error) {
        if (['ECONNREFUSED', 'ECONNRESET'].includes(codeOf(error))) return null
        throw error
      }
    })
    await again.has(20)
    await live.goesOn()
    expect(await server.status()).toMatchObject({ connections: 3 })
  })

  test('a worker that drains keeps its viewers until they leave', async () => {
    const server = await startLiveServer()
    await LivePair.start(server.url('one'))
    const url = server.httpUrl('/live/one.flv')
    const [http, ws] = [await HttpPlayer.play(url), await WebSocketPlayer.play(url)]
    const [worker] = workersOf(await server.status(), 'http')
    process.kill(worker!.pid, 'SIGQUIT')
    await server.waitForStatus('the replacement to be there', (status) =>
      workersOf(status, 'http').some(({ pid }) => pid !== worker!.pid),
    )
    await http.hasMore(50)
    await ws.hasMore(50)
    http.close()
    await ws.hasMore(20)
    ws.close()
    await until('the drained worker to end', () => !isRunning(worker!.pid))
    await (await HttpPlayer.play(url)).has(20)
  })

  test('a back-source that is killed: viewers go on at a key frame', async () => {
    const server = await startLiveServer()
    const publisher = await TestPublisher.publish(server.url('one'))
    publisher.goLive()
    const viewers = await Promise.all(
      players.map(([, Player]) => Player.play(server.httpUrl('/live/one.flv'))),
    )
    for (const viewer of viewers) await viewer.has(20)
    const [backSource] = workersOf(await server.status(), 'back-source').filter(
      ({ streams }) => streams.length > 0,
    )
    process.kill(backSource!.pid, 'SIGKILL')
    await until('the back-source to be gone', () => !isRunning(backSource!.pid))
    const last = publisher.sent.at(-1)!
    for (const viewer of viewers) {
      await viewer.hasMore(80)
      const later = viewer.frames.slice(viewer.frames.findIndex(({ md5 }) => md5 === last.md5) + 1)
      expect(later.length).toBeGreaterThan(0)
      expect(Math.min(...stepsOf(viewer.packets))).toBeGreaterThanOrEqual(0)
    }
  })

  test('http_remux that is switched off by a reload ends the streams, and RTMP goes on', async () => {
    const server = await startLiveServer()
    const live = await LivePair.start(server.url('one'))
    const url = server.httpUrl('/live/one.flv')
    const player = await HttpPlayer.play(url)
    server.configure({ httpWorkers: 1 })
    await server.reload()
    expect(await player.ended).toBe('end')
    expect((await fetch(url)).status).toBe(404)
    await live.goesOn()
  })

  test('TERM ends the streams in good order', async () => {
    const server = await startLiveServer()
    await LivePair.start(server.url('one'))
    const url = server.httpUrl('/live/one.flv')
    const [http, ws] = [await HttpPlayer.play(url), await WebSocketPlayer.play(url)]
    await http.has(10)
    await ws.has(10)
    server.master.signal('SIGTERM')
    expect(await ws.ended).toBe('1001 the server stops')
    await http.ended
    await server.hasEnded()
  })
})

/** The answer to a GET with any headers. */
function ask(
  server: Server,
  path: string,
  fields: Record<string, string> = {},
): Promise<Pick<IncomingMessage, 'statusCode'>> {
  return new Promise((resolve, reject) => {
    const request = get({ port: server.httpPort, path, headers: fields, agent: false })
    const answer = (response: IncomingMessage): void => {
      response.destroy()
      resolve(response)
    }
    request.on('response', answer).on('upgrade', answer).on('error', reject)
  })
}

function headersOf(publisher: TestPublisher): string[] {
  return publisher.sent.filter(({ header }) => header).map(({ md5 }) => md5)
}
