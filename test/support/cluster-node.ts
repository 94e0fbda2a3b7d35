import { expect, onTestFinished } from 'vitest'
import type { StreamOwner } from '../../src/cluster/owner.ts'
import { RedisRegistry } from '../../src/cluster/redis-registry.ts'
import { configOf } from './config.ts'
import { eventually } from './eventually.ts'
import { type LogLine, recordingLogger } from './logger.ts'

/** The registry of a node of its own, and what it has told. */
export interface ClusterNode {
  readonly name: string
  readonly registry: RedisRegistry
  readonly lost: [stream: string, owner: StreamOwner][]
  readonly began: (string | null)[]
  readonly lines: LogLine[]
  /** Nodes that accept no connections, as this one sees it. */
  readonly unreached: Set<string>
  /** Waits until it is in contact with Redis. */
  ready(): Promise<ClusterNode>
}

/** Opens one with a lease of a second; it ends with the test. */
export function clusterNode(name: string, url: string, directives = ''): ClusterNode {
  const { logger, lines } = recordingLogger()
  const lost: ClusterNode['lost'] = []
  const began: ClusterNode['began'] = []
  const unreached = new Set<string>()
  const lease = directives.includes('lease') ? '' : 'lease 1;'
  const address = `redis ${url}; node ${name}; advertise rtmp://${name}:1935;`
  const { cluster } = configOf(`cluster { registry redis; ${address} ${lease} ${directives} }`)
  const registry = new RedisRegistry(
    cluster,
    `boot-${Math.random()}`,
    logger,
    {
      onLost: (...what) => lost.push(what),
      onBegan: (which) => began.push(which),
    },
    { reaches: async (owner) => !unreached.has(owner.node) },
  )
  onTestFinished(() => registry.close())
  const node: ClusterNode = {
    ...{ name, registry, lost, began, lines, unreached },
    async ready() {
      await eventually(() => {
        expect(registry.facts.connected).toBe(true)
        expect(began).toContain(null)
      })
      return node
    },
  }
  return node
}
