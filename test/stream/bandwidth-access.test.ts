import { expect, test } from 'vitest'
import type { AccessRequest } from '../../src/access/access-check.ts'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { BandwidthChecks } from '../../src/master/bandwidth-checks.ts'
import { BandwidthAccess } from '../../src/stream/bandwidth-access.ts'
import { configOf, vhostConfigOf } from '../support/config.ts'

const vhost = vhostConfigOf('bandcheck { enabled on; key K; interval 30; }')

function request(clientId: string, param: string): AccessRequest {
  return {
    ...{ action: 'connect', clientId, ip: '10.0.0.1', vhost: 'a', app: 'live', stream: '', param },
    ...{ tcUrl: '', pageUrl: '', swfUrl: '', protocol: 'rtmp' },
  }
}

test('who has the right key waits for the master; others are let in, or refused, at once', async () => {
  const asked: ToMaster[] = []
  const access = new BandwidthAccess((message) => asked.push(message))
  expect(access.applies('connect', vhost)).toBe(true)
  expect(access.applies('publish', vhost)).toBe(false)
  expect(access.applies('connect', vhostConfigOf())).toBe(false)
  expect(access.check(request('c1', ''), vhost)).toStrictEqual({ ok: true })
  expect(access.check(request('c1', '?key=x'), vhost)).toMatchObject({ ok: false, code: 'BANDWIDTH_KEY' })
  expect(asked).toStrictEqual([])
  const decisions = ['c1', 'c2'].map((id) => access.check(request(id, '?key=K'), vhost))
  expect(asked).toStrictEqual([
    { t: 'check-bandwidth', connectionId: 'c1', vhost: 'a' },
    { t: 'check-bandwidth', connectionId: 'c2', vhost: 'a' },
  ])
  access.onAnswer('c2', false)
  access.onAnswer('c1', true)
  access.onAnswer('c3', true)
  expect(await decisions[0]).toStrictEqual({ ok: true })
  expect(await decisions[1]).toMatchObject({ ok: false, code: 'BANDWIDTH_TOO_SOON' })
})

test('the master lets one check begin in each interval of a virtual host, whichever worker asks', () => {
  const config = configOf('vhost a { bandcheck { interval 30; } } vhost b { bandcheck { interval 0; } }')
  const checks = new BandwidthChecks(() => config)
  const ask = (name: string, nowMs: number): boolean =>
    checks.answer({ t: 'check-bandwidth', connectionId: 'c', vhost: name }, nowMs).allowed
  expect([ask('a', 5), ask('a', 30_004), ask('a', 30_005), ask('a', 30_006)]).toStrictEqual([
    true,
    false,
    true,
    false,
  ])
  expect([ask('b', 5), ask('b', 5), ask('gone', 5)]).toStrictEqual([true, true, true])
})
