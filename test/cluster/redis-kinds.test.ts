import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../e2e/support/free-port.ts'
import { clusterNode } from '../support/cluster-node.ts'
import { eventually } from '../support/eventually.ts'
import { RedisServer } from '../support/redis-server.ts'
import { tempDir } from '../support/temp-dir.ts'

const stream = '__defaultVhost__/live/x'

async function startRedis(...options: string[]): Promise<RedisServer> {
  const redis = await RedisServer.start(...options)
  onTestFinished(() => redis.kill())
  return redis
}

/** Two nodes take streams of which each hears, and one of them gives its own back. */
async function worksWith(url: string): Promise<void> {
  const patient = 'redis_timeout 10;'
  const [a, b] = [await clusterNode('a', url, patient).ready(), await clusterNode('b', url, patient).ready()]
  const names = Array.from({ length: 20 }, (_, i) => `${stream}${i}`)
  expect(await Promise.all(names.map((name) => a.registry.acquire(name)))).toStrictEqual(
    names.map(() => null),
  )
  expect(await b.registry.acquire(names[0]!)).toMatchObject({ node: 'a' })
  await eventually(async () => {
    expect(b.began).toEqual(expect.arrayContaining(names))
    expect((await b.registry.page(0, 100)).total).toBe(20)
    expect((await b.registry.nodes()).map(({ node }) => node)).toStrictEqual(['a', 'b'])
  })
  a.registry.release(names[0]!)
  await eventually(async () => expect(await b.registry.acquire(names[0]!)).toBeNull())
  await a.registry.close()
  expect(await b.registry.acquire(names[1]!)).toBeNull()
  expect([...a.lines, ...b.lines].filter(({ level }) => level > 30)).toStrictEqual([])
}

test('a Redis Cluster', async () => {
  const file = join(tempDir(), 'nodes.conf')
  // The port that it takes by itself for the others need not be free.
  const busPort = await freePort()
  const options = `--cluster-enabled yes --cluster-announce-ip 127.0.0.1 --cluster-port ${busPort}
    --cluster-config-file ${file}`
  const redis = await startRedis(...options.split(/\s+/))
  await redis.ask(async (client) => {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await eventually(async () => expect(await client.call('CLUSTER', 'INFO')).toContain('cluster_state:ok'))
  })
  await worksWith(`redis+cluster://127.0.0.1:${redis.port}`)
})

test('the master of a group behind a Sentinel', async () => {
  const redis = await startRedis()
  const file = join(tempDir(), 'sentinel.conf')
  writeFileSync(file, `sentinel monitor main 127.0.0.1 ${redis.port} 1\n`)
  const sentinel = await startRedis(file, '--sentinel')
  await worksWith(`redis+sentinel://127.0.0.1:${sentinel.port}/main`)
})

test('a database of its own, with a user who may no more than docs/cluster.md says', async () => {
  const redis = await startRedis()
  const may =
    '~weir:* &weir:* +@hash +@sortedset +@scripting +@keyspace +@pubsub +@connection +time +info +cluster'
  await redis.ask((client) => client.call('ACL', 'SETUSER', 'weir', 'on', '>pass:word', ...may.split(' ')))
  await worksWith(`redis://weir:pass%3Aword@127.0.0.1:${redis.port}/3`)
  expect(await redis.ask((client) => client.call('DBSIZE'))).toBe(0)
})
