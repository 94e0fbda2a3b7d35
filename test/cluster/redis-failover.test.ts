import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../e2e/support/free-port.ts'
import { type ClusterNode, clusterNode } from '../support/cluster-node.ts'
import { eventually } from '../support/eventually.ts'
import { RedisServer } from '../support/redis-server.ts'
import { tempDir } from '../support/temp-dir.ts'

const stream = '__defaultVhost__/live/x'

async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const redis = await RedisServer.start(...options)
  onTestFinished(() => redis.kill())
  return redis
}

/** What a server tells of its replication. */
const replication = (redis: RedisServer): Promise<string> => redis.ask((client) => client.info('replication'))

const isSynced = (replica: RedisServer): Promise<void> =>
  eventually(async () => expect(await replication(replica)).toContain('master_link_status:up'))

/** Two nodes, the first of which has streams. */
async function nodesOf(url: string): Promise<[a: ClusterNode, b: ClusterNode]> {
  const [a, b] = [clusterNode('a', url, 'lease 3;'), clusterNode('b', url, 'lease 3;')]
  await Promise.all([a.ready(), b.ready()])
  for (let i = 0; i < 10; i += 1) expect(await a.registry.acquire(`${stream}${i}`)).toBeNull()
  return [a, b]
}

/**
 * Kills the master under two nodes: what they have stays theirs, what is published meanwhile is taken, and all of it is at the
 * replica when that is in the master's place.
 */
async function survives([a, b]: [ClusterNode, ClusterNode], master: RedisServer, replica: RedisServer) {
  await master.kill()
  await eventually(async () => expect(await replication(replica)).toContain('role:master'))
  expect(await a.registry.acquire(`${stream}-new`)).toBeNull()
  await eventually(async () => {
    expect(await b.registry.locate(`${stream}-new`)).toMatchObject({ node: 'a' })
    for (const { registry } of [a, b]) expect(registry.facts.connected).toBe(true)
  })
  for (let i = 0; i < 10; i += 1)
    expect(await b.registry.acquire(`${stream}${i}`)).toMatchObject({ node: 'a' })
  const heard = a.began.length
  expect(await b.registry.acquire(`${stream}-other`)).toBeNull()
  // It hears of that, or it listens only now, and looks for everything.
  await eventually(() => expect(a.began.length).toBeGreaterThan(heard))
  for (const { registry, lost } of [a, b]) {
    expect(registry.facts.lost).toBe(0)
    expect(lost).toStrictEqual([])
  }
}

test('a Sentinel that puts a replica in the place of its master', async () => {
  const master = await startRedis('--repl-diskless-sync-delay', '0')
  const replica = await startRedis('--replicaof', '127.0.0.1', `${master.port}`)
  await isSynced(replica)
  const file = join(tempDir(), 'sentinel.conf')
  writeFileSync(
    file,
    `sentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds main 500\n`,
  )
  const sentinel = await startRedis(file, '--sentinel')
  const nodes = await nodesOf(`redis+sentinel://127.0.0.1:${sentinel.port}/main`)
  await eventually(async () => {
    const replicas = await sentinel.ask((client) => client.call('SENTINEL', 'REPLICAS', 'main'))
    expect(replicas).toMatchObject([expect.arrayContaining(['master-link-status', 'ok'])])
  })
  await survives(nodes, master, replica)
})

test('a Redis Cluster that puts a replica in the place of a master', async () => {
  const servers = await Promise.all(
    [1, 2, 3, 4].map(async (number) => {
      const file = join(tempDir(), `nodes-${number}.conf`)
      const busPort = await freePort()
      const options = `--cluster-enabled yes --cluster-announce-ip 127.0.0.1 --cluster-node-timeout 1000
        --cluster-port ${busPort} --cluster-config-file ${file} --repl-diskless-sync-delay 0`
      const redis = await startRedis(...options.split(/\s+/))
      const say = (...words: string[]) =>
        redis.ask((client) => client.call('CLUSTER', ...(words as [string])))
      return { redis, busPort, say, id: String(await say('MYID')) }
    }),
  )
  const [master, , , replica] = servers as [(typeof servers)[0], unknown, unknown, (typeof servers)[0]]
  const slots = [
    ['0', '5460'],
    ['5461', '10922'],
    ['10923', '16383'],
  ]
  for (const [i, range] of slots.entries()) {
    await servers[i]!.say('SET-CONFIG-EPOCH', `${i + 1}`)
    await servers[i]!.say('ADDSLOTSRANGE', ...range)
  }
  for (const { redis, busPort } of servers) {
    await master.say('MEET', '127.0.0.1', `${redis.port}`, `${busPort}`)
  }
  await eventually(async () => {
    expect(await replica.say('REPLICATE', master.id)).toBe('OK')
    for (const { say } of servers) expect(await say('INFO')).toContain('cluster_state:ok')
  })
  await isSynced(replica.redis)
  const nodes = await nodesOf(`redis+cluster://127.0.0.1:${servers[1]!.redis.port}`)
  await survives(nodes, master.redis, replica.redis)
})
