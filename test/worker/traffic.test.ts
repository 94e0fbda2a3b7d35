import { expect, test } from 'vitest'
import { type ClientTraffic, Traffic } from '../../src/worker/traffic.ts'

function client(vhost: string | null, bytes: number, role: ClientTraffic['role'] = 'play'): ClientTraffic {
  return {
    vhost,
    role,
    protocol: role === 'play' ? 'ws-flv' : 'rtmp',
    sendBytes: bytes,
    recvBytes: bytes / 10,
  }
}

test('adds up who is here and who was, for each virtual host', () => {
  const traffic = new Traffic()
  traffic.leave(client('a', 100))
  traffic.leave(client('a', 50, null))
  traffic.leave(client(null, 1_000_000, null))
  const present = [client('a', 10), client('a', 20, 'publish'), client('a', 30, null), client('b', 40)]
  const none = { streams: 0 }
  const expected = [
    { vhost: 'a', publishers: 1, players: { 'ws-flv': 1 }, ...none, sendBytes: 210, recvBytes: 21 },
    { vhost: 'b', publishers: 0, players: { 'ws-flv': 1 }, ...none, sendBytes: 40, recvBytes: 4 },
  ]
  expect(traffic.totals(present)).toStrictEqual(expected)
  expect(traffic.totals(present)).toStrictEqual(expected)
  expect(traffic.totals([])).toStrictEqual([
    { vhost: 'a', publishers: 0, players: {}, ...none, sendBytes: 150, recvBytes: 15 },
  ])
})
