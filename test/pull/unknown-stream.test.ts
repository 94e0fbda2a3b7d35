import { expect, onTestFinished, test } from 'vitest'
import { PlayerHub } from '../../src/pull/player-hub.ts'
import { Player } from '../../src/stream/player.ts'
import { rtmpFormat } from '../../src/stream/rtmp-muxer.ts'
import { configOf, vhostConfigOf } from '../support/config.ts'
import { silentLogger } from '../support/logger.ts'
import { memoryInUse } from '../support/memory-in-use.ts'
import { PlaySocket } from '../support/play-socket.ts'

const streams = 5000

test('a stream that somebody asks for and nobody publishes costs its worker less than 8 kB', () => {
  const hub = new PlayerHub(configOf('vhost __defaultVhost__ { }'), silentLogger, () => {})
  onTestFinished(() => hub.close())
  const vhost = vhostConfigOf('')
  const format = rtmpFormat(128, 1)
  const wait = (name: string): void => {
    new Player(
      () => hub.streamFor(`__defaultVhost__/live/${name}`, vhost),
      format,
      new PlaySocket(),
      () => {},
    ).start()
  }
  wait('warm-up')
  const before = memoryInUse()
  for (let index = 0; index < streams; index += 1) wait(`nobody-${index}`)
  const growth = memoryInUse() - before
  // All of them are there: what is measured is what is kept.
  expect(hub.status()).toHaveLength(streams + 1)
  expect(growth / streams).toBeLessThan(8 * 1024)
  expect(growth / streams).toBeGreaterThan(100)
})
