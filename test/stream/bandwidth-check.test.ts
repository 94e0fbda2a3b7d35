import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AmfValue } from '../../src/media/amf-value.ts'
import { BandwidthCheck, bandwidthKey, type CheckedPeer } from '../../src/stream/bandwidth-check.ts'
import { measureBandwidth } from '../../src/tools/bandwidth/measure-bandwidth.ts'
import { type Peer, TinyServer } from '../client/tiny-server.ts'
import { vhostConfigOf } from '../support/config.ts'
import { eventually } from '../support/eventually.ts'
import { recordingLogger, silentLogger } from '../support/logger.ts'

const servers: TinyServer[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const server of servers.splice(0)) server.close()
})

/** A server that checks everybody, for a short time. */
async function checkingServer(limitKbps: number, durationMs = 200) {
  const { logger, lines } = recordingLogger()
  const closed: (string | undefined)[] = []
  const server = new TinyServer(({ socket, session, handler }: Peer) => {
    const peer: CheckedPeer = {
      ...{ socket, logger, session },
      updateReading: () => {
        if (check.mustPause) socket.pause()
        else socket.resume()
      },
      close: (_reason, text) => {
        closed.push(text)
        socket.end()
      },
    }
    const check = new BandwidthCheck(peer, { limitKbps, durationMs })
    handler.onCall = (name) => check.onCall(name)
    handler.onConnect = () => {
      session.acceptConnect()
      check.start()
    }
    socket.on('close', () => check.stop())
  })
  servers.push(server)
  return { url: `${await server.listen()}/app?key=K`, server, closed, lines }
}

describe('a check', () => {
  test('measures both directions and leaves its result in the log', async () => {
    const { url, closed, lines } = await checkingServer(8000)
    const { down, up } = await measureBandwidth(url)
    for (const { kbps, bytes, ms } of [down, up]) {
      expect(ms).toBeGreaterThanOrEqual(200)
      expect(Math.abs(kbps / ((8 * bytes) / ms) - 1)).toBeLessThan(0.02)
      // 8 Mbit/s are 200 kB in that time.
      expect(bytes).toBeGreaterThan(32_000)
    }
    // A turn may go beyond by what it sends last.
    expect(down.bytes).toBeLessThan((8000 / 8) * down.ms + 40_000)
    await eventually(() => expect(closed).toStrictEqual(['the bandwidth check is done']))
    expect(lines).toMatchObject([{ msg: 'bandwidth check', play_bytes: down.bytes, publish_bytes: up.bytes }])
  })

  test('of a client that goes away, or says nothing, ends', async () => {
    const { url, server } = await checkingServer(8000)
    const measuring = measureBandwidth(url)
    await eventually(() => expect(server.peers).toHaveLength(1))
    server.peers[0]!.socket.destroy()
    await expect(measuring).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  })
})

describe('weir bandwidth', () => {
  test('says when a server checks nothing, or falls silent', async () => {
    const server = new TinyServer()
    servers.push(server)
    const url = `${await server.listen()}/app?key=K`
    await expect(measureBandwidth(url, { firstTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'BANDWIDTH_ABSENT',
    })
    const silent = new TinyServer(({ handler, session }) => {
      handler.onConnect = () => {
        session.acceptConnect()
        session.sendCall('onSrsBandCheckStartPlayBytes', null)
      }
    })
    servers.push(silent)
    const other = `${await silent.listen()}/app?key=K`
    await expect(measureBandwidth(other, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'RTMP_TIMEOUT' })
  })

  test('tells why a server refuses', async () => {
    const server = new TinyServer(({ handler, session }) => {
      handler.onConnect = () => session.rejectConnect('NetConnection.Connect.Rejected', 'too soon')
    })
    servers.push(server)
    await expect(measureBandwidth(`${await server.listen()}/app?key=K`)).rejects.toMatchObject({
      code: 'RTMP_REJECTED',
      message: expect.stringContaining('too soon'),
    })
  })
})

describe('the dialogue', () => {
  /** A check whose client is the test. */
  function setUp() {
    const said: [name: string, data: unknown][] = []
    const closed: unknown[] = []
    const socket = { writableLength: 0, bytesWritten: 0, bytesRead: 0 }
    const check = new BandwidthCheck(
      {
        socket,
        logger: silentLogger,
        session: {
          sendCall: (name: string, data: AmfValue) => {
            said.push([name, data instanceof Map ? Object.fromEntries(data) : data])
            socket.bytesWritten += name === 'onSrsBandCheckPlaying' ? 16_400 : 100
          },
        },
        updateReading: () => {},
        close: (reason, text) => closed.push(reason?.message ?? text),
      },
      { limitKbps: 1000 },
    )
    const steps = (): string[] => said.map(([name]) => name).filter((name) => !name.endsWith('Playing'))
    return { check, said, steps, closed, socket }
  }

  test('is that of SRS, also with Flash, which never says that it has stopped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
    const { check, said, steps, closed, socket } = setUp()
    check.start()
    check.onCall('onSrsBandCheckStoppedPlayBytes')
    expect(said).toStrictEqual([
      ['onSrsBandCheckStartPlayBytes', { limit_kbps: 1000, duration_ms: 3000, interval_ms: 0 }],
    ])
    check.onCall('onSrsBandCheckStartingPlayBytes')
    await vi.advanceTimersByTimeAsync(3100)
    expect(steps().at(-1)).toBe('onSrsBandCheckStopPlayBytes')
    const [, stop] = said.at(-1)!
    expect(stop).toMatchObject({ duration_ms: 3000, bytes_delta: expect.any(Number) })
    // 1000 kbit/s in 3 s, and one message more.
    expect((stop as { bytes_delta: number }).bytes_delta).toBeGreaterThan(360_000)
    expect((stop as { bytes_delta: number }).bytes_delta).toBeLessThan(395_000)
    check.onCall('onSrsBandCheckStoppedPlayBytes')
    check.onCall('onSrsBandCheckStartingPublishBytes')
    socket.bytesRead = 200_000
    await vi.advanceTimersByTimeAsync(20)
    expect(check.mustPause).toBe(true)
    await vi.advanceTimersByTimeAsync(2980)
    expect(check.mustPause).toBe(false)
    expect(steps().at(-1)).toBe('onSrsBandCheckStopPublishBytes')
    await vi.advanceTimersByTimeAsync(1000)
    const [name, result] = said.at(-1)!
    expect(name).toBe('onSrsBandCheckFinished')
    expect(Object.keys(result as object).sort()).toStrictEqual([
      ...['end_time', 'play_bytes', 'play_kbps', 'play_time'],
      ...['publish_bytes', 'publish_kbps', 'publish_time', 'start_time'],
    ])
    expect(result).toMatchObject({ publish_bytes: 200_000 })
    check.onCall('finalClientPacket')
    expect(closed).toStrictEqual(['the bandwidth check is done'])
  })

  test('is not waited for forever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { check, closed } = setUp()
    check.start()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(closed).toStrictEqual([expect.stringContaining('onSrsBandCheckStartingPlayBytes')])
    check.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(closed).toHaveLength(1)
  })
})

test.each([
  ['', '?key=K', 'none'],
  ['bandcheck { enabled on; key K; }', '', 'none'],
  ['bandcheck { enabled on; key K; }', '?token=K', 'none'],
  ['bandcheck { enabled on; key K; }', '?vhost=a&key=K', 'right'],
  ['bandcheck { enabled on; key K; }', '?key=k', 'wrong'],
  ['bandcheck { enabled on; }', '?key=', 'wrong'],
])('%s with the query %s has the key: %s', (section, param, key) => {
  expect(bandwidthKey(vhostConfigOf(section).bandcheck, param)).toBe(key)
})
