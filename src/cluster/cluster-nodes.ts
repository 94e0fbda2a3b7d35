import { monotonicMs } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { version } from '../base/version.ts'
import type { NodeFacts } from '../ipc/cluster-facts.ts'
import type { RedisLink } from './redis-link.ts'
import type { ClusterSettings } from './settings.ts'

/** After how long a node that is silent is forgotten, in milliseconds: until then it is shown as dead. */
const forgetMs = 10 * 60_000

/** What a node tells of itself, as JSON in Redis. */
type Told = Omit<NodeFacts, 'node' | 'ageMs' | 'alive'>

/** The list of the cluster's nodes, in which each writes down that it lives. */
export class ClusterNodes {
  readonly #link: RedisLink
  readonly #settings: ClusterSettings
  readonly #bootId: string
  readonly #logger: Logger
  #announced = false
  #nameIsTaken = false

  constructor(link: RedisLink, settings: ClusterSettings, bootId: string, logger: Logger) {
    this.#link = link
    this.#settings = settings
    this.#bootId = bootId
    this.#logger = logger
  }

  /**
   * Says that this node lives.
   * @param streams how many it has
   * @throws WeirError REDIS
   */
  async announce(streams: number): Promise<void> {
    const { node, advertise, advertiseHttp } = this.#settings
    const uptimeSeconds = Math.round(monotonicMs() / 1000)
    const told: Told = {
      rtmp: advertise,
      http: advertiseHttp,
      version,
      serverId: this.#bootId,
      streams,
      uptimeSeconds,
    }
    const call = [this.#key, node, this.#bootId, JSON.stringify(told), forgetMs] as const
    const before = await this.#link.run('announce', call)
    this.#onBefore(typeof before === 'string' ? before : null)
    this.#announced = true
  }

  /** @throws WeirError REDIS */
  async leave(): Promise<void> {
    await this.#link.run('leave', [this.#key, this.#settings.node, this.#bootId])
  }

  /** @throws WeirError REDIS */
  async list(): Promise<NodeFacts[]> {
    const answer = (await this.#link.read('nodes', [this.#key, forgetMs])) as [string, string, string][]
    const leaseMs = this.#settings.lease * 1000
    return answer
      .map(([node, age, text]) => {
        const ageMs = Number(age)
        return { node, ...(JSON.parse(text) as Told), ageMs, alive: ageMs < leaseMs }
      })
      .sort((a, b) => (a.node < b.node ? -1 : 1))
  }

  /** @param before what was written of this node before: by this process, if nobody else has its name */
  #onBefore(before: string | null): void {
    const isOther = this.#announced && before !== null && !before.startsWith(`${this.#bootId} `)
    if (isOther && !this.#nameIsTaken) {
      const { node } = this.#settings
      this.#logger.error({ code: 'NODE_NAME', node }, `cluster: another server has the name ${node} too`)
    }
    this.#nameIsTaken = isOther
  }

  get #key(): string {
    return `${this.#settings.prefix}:nodes`
  }
}
