import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WeirError } from '../../../src/base/errors.ts'
import type { ClientEvents, LoadClient } from '../../../src/tools/bench/client.ts'
import { Fleet, type RampOptions } from '../../../src/tools/bench/fleet.ts'

/** A client whose fate the test decides. */
class FakeClient implements LoadClient {
  bytes = 0
  started = false
  closed = false
  readonly events: ClientEvents

  constructor(events: ClientEvents) {
    this.events = events
  }

  start(): void {
    this.started = true
  }

  close(): void {
    this.closed = true
  }
}

const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })

function makeFleet(options: Partial<RampOptions> = {}) {
  const clients: FakeClient[] = []
  const all = { clients: 3, perSecond: 1000, maxConnecting: 50, ...options }
  const fleet = new Fleet(all, (index, events) => {
    expect(index).toBe(clients.length)
    const client = new FakeClient(events)
    clients.push(client)
    return client
  })
  return { fleet, clients }
}

describe('Fleet', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test('starts no more clients in a second than it may', async () => {
    const { fleet, clients } = makeFleet({ clients: 30, perSecond: 10 })
    void fleet.ramp()
    await vi.advanceTimersByTimeAsync(950)
    expect(clients.length).toBe(10)
    await vi.advanceTimersByTimeAsync(1000)
    expect(clients.length).toBe(20)
  })

  test('has no more clients on their way than it may', async () => {
    const { fleet, clients } = makeFleet({ clients: 5, maxConnecting: 2 })
    let ramped = false
    void fleet.ramp().then(() => {
      ramped = true
    })
    await vi.advanceTimersByTimeAsync(1000)
    expect(clients.length).toBe(2)
    clients[1]!.events.onUp()
    await vi.advanceTimersByTimeAsync(10)
    expect(clients.length).toBe(3)
    clients[0]!.events.onFailure(refused)
    await vi.advanceTimersByTimeAsync(10)
    expect(clients.length).toBe(4)
    clients[2]!.events.onUp()
    clients[3]!.events.onUp()
    await vi.advanceTimersByTimeAsync(10)
    expect(clients.length).toBe(5)
    expect(ramped).toBe(false)
    clients[4]!.events.onUp()
    await vi.advanceTimersByTimeAsync(10)
    expect(ramped).toBe(true)
    expect([fleet.up, fleet.failed]).toStrictEqual([4, 1])
  })

  test('counts failures by code, before and after a client is up', async () => {
    const { fleet, clients } = makeFleet({ clients: 4 })
    void fleet.ramp()
    await vi.advanceTimersByTimeAsync(10)
    const [one, two, three, four] = clients
    one!.events.onFailure(refused)
    two!.events.onUp()
    two!.events.onFailure(new WeirError('RTMP_CLOSED', 'closed'))
    three!.events.onFailure(new WeirError('RTMP_CLOSED', 'closed', refused))
    four!.events.onUp()
    expect([...fleet.errors]).toStrictEqual([
      ['ECONNREFUSED', 2],
      ['RTMP_CLOSED', 1],
    ])
    expect([fleet.up, fleet.failed]).toStrictEqual([1, 3])
    expect(fleet.clientsUp).toStrictEqual([four])
  })

  test('counts what a client goes on after, which leaves it up', async () => {
    const { fleet, clients } = makeFleet({ clients: 1 })
    void fleet.ramp()
    await vi.advanceTimersByTimeAsync(10)
    clients[0]!.events.onUp()
    for (let time = 0; time < 2; time++) clients[0]!.events.onFault(new WeirError('HLS_PLAYLIST', 'back'))
    expect([fleet.up, fleet.failed, ...fleet.errors]).toStrictEqual([1, 0, ['HLS_PLAYLIST', 2]])
  })

  test('measures bytes from a point on', async () => {
    const { fleet, clients } = makeFleet()
    void fleet.ramp()
    await vi.advanceTimersByTimeAsync(10)
    for (const [index, client] of clients.entries()) {
      client.events.onUp()
      client.bytes = 100 * index
    }
    fleet.measure()
    for (const client of clients) client.bytes += 7
    clients[0]!.events.onFailure(refused)
    expect(fleet.bytes).toBe(321)
    expect(fleet.measuredBytes).toBe(21)
    expect([...fleet.measuredBytesOfEach()]).toStrictEqual([7, 7])
  })

  test('closes what has not failed, and starts nothing more', async () => {
    const { fleet, clients } = makeFleet({ clients: 10, maxConnecting: 2 })
    const ramp = fleet.ramp()
    await vi.advanceTimersByTimeAsync(10)
    clients[0]!.events.onFailure(refused)
    await vi.advanceTimersByTimeAsync(10)
    fleet.close()
    await ramp
    expect(clients.map(({ closed }) => closed)).toStrictEqual([false, true, true])
  })
})
