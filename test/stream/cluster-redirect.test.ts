import { expect, test } from 'vitest'
import { ClusterRedirect } from '../../src/stream/cluster-redirect.ts'
import { Locator } from '../../src/worker/locator.ts'
import { accessRequest } from '../support/access.ts'
import { configOf } from '../support/config.ts'

const redis = 'registry redis; node a; advertise rtmp://a:1935;'

/** A check whose master answers with a node. */
function check(cluster: string, node = '', vhost = '') {
  const config = configOf(`cluster { ${cluster} } vhost __defaultVhost__ { ${vhost} }`)
  const asked: string[] = []
  const locator: Locator = new Locator((message) => {
    if (message.t !== 'locate') return
    asked.push(message.stream)
    const place = { node, rtmp: node && `rtmp://${node}:1935`, http: '' }
    queueMicrotask(() => locator.onLocated({ t: 'located', request: message.request, ...place }))
  })
  const redirect = new ClusterRedirect(() => config, locator)
  return { redirect, asked, vhost: config.vhosts.__defaultVhost__! }
}

test.each<[string, string, boolean]>([
  [`${redis} redirect on;`, '', true],
  [redis, '', false],
  ['redirect on;', '', false],
  [`${redis} redirect on;`, 'mode remote; origin b;', false],
])('with %j and %j players are asked about: %j', (cluster, section, applies) => {
  const { redirect, vhost } = check(cluster, '', section)
  expect(redirect.applies('play', vhost)).toBe(applies)
  expect(redirect.applies('connect', vhost)).toBe(false)
  expect(redirect.applies('publish', vhost)).toBe(false)
})

test('a player is sent to the node that has the stream', async () => {
  const { redirect, asked } = check(`${redis} redirect on;`, 'b')
  expect(await redirect.check(accessRequest())).toStrictEqual({
    ...{ ok: false, code: 'STREAM_ELSEWHERE', message: 'the stream is at node b', redirect: 'rtmp://b:1935' },
  })
  expect(asked).toStrictEqual(['__defaultVhost__/live/x'])
})

test('and stays when no other node has it', async () => {
  expect(await check(`${redis} redirect on;`).redirect.check(accessRequest())).toStrictEqual({ ok: true })
})
