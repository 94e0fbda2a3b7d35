import { describe, expect, test } from 'vitest'
import { PithyPrinter, type PithyTurn, type Summarised } from '../../src/worker/pithy-printer.ts'

type Role = Summarised['role']

/** Connections that write down when their line was printed. */
function connectionsOf(printed: string[], roles: Record<string, Role>): Map<string, Summarised> {
  return new Map(
    Object.entries(roles).map(([id, role]) => {
      return [id, { id, role, logSummary: () => printed.push(id) }]
    }),
  )
}

function oneWorker(pithyMs: number): PithyTurn {
  return { pithyMs, index: 1, workers: 1 }
}

function setUp(roles: Record<string, Role>) {
  const printed: string[] = []
  const printer = new PithyPrinter(oneWorker(10_000), 0)
  const connections = connectionsOf(printed, roles)
  let now = 0
  /** What is printed in the next `intervals` intervals. */
  const next = (intervals = 1): string[] => {
    for (let interval = 0; interval < intervals; interval += 1) {
      now += 10_000
      printer.print(now, connections)
    }
    return printed.splice(0)
  }
  return { printer, connections, next, printed }
}

describe('summary lines', () => {
  test('are one for a publisher and one for a player in each interval, in turn', () => {
    const { next } = setUp({ a: 'publish', b: 'play', c: 'play', d: null, e: 'publish', f: 'play' })
    expect(next(4)).toStrictEqual(['a', 'b', 'e', 'c', 'a', 'f', 'e', 'b'])
  })

  test('come once in an interval, however often the time is looked at', () => {
    const { printer, connections, printed } = setUp({ a: 'publish' })
    for (let now = 10_000; now < 40_000; now += 1000) printer.print(now, connections)
    expect(printed).toStrictEqual(['a', 'a', 'a'])
  })

  test('come as often as they shall, though the time is looked at a little late each time', () => {
    const { printer, connections, printed } = setUp({ a: 'publish' })
    printer.turn = oneWorker(2000)
    for (let now = 0; now < 20_500; now += 1001) printer.print(now, connections)
    expect(printed.length).toBe(10)
  })

  test('are not made up for when the process hung', () => {
    const { printer, connections, printed } = setUp({ a: 'publish' })
    printer.print(95_000, connections)
    for (let now = 95_100; now < 105_000; now += 100) printer.print(now, connections)
    expect(printed.length).toBe(1)
  })

  test('are of the connections that there are', () => {
    const { connections, next } = setUp({ a: 'play', b: 'play', c: 'play' })
    expect(next()).toStrictEqual(['a'])
    connections.delete('b')
    expect(next()).toStrictEqual(['c'])
    connections.delete('c')
    expect(next(2)).toStrictEqual(['a', 'a'])
    connections.clear()
    expect(next()).toStrictEqual([])
  })

  test('follow another interval', () => {
    const { printer, connections, printed } = setUp({ a: 'play' })
    printer.turn = oneWorker(1000)
    for (let now = 1000; now <= 3000; now += 1000) printer.print(now, connections)
    expect(printed.length).toBe(3)
  })

  test('come at the same rate from several workers, which take turns', () => {
    const printed: [worker: number, nowMs: number][] = []
    let now = 500
    const printers = [1, 2, 3].map((index) => {
      const client: Summarised = { id: 'a', role: 'play', logSummary: () => printed.push([index, now]) }
      const turn = { pithyMs: 10_000, index, workers: 3 }
      return { printer: new PithyPrinter(turn, now), connections: new Map([['a', client]]) }
    })
    for (; now <= 60_500; now += 500) {
      for (const { printer, connections } of printers) printer.print(now, connections)
    }
    expect(printed).toStrictEqual([1, 2, 3, 1, 2, 3].map((index, turn) => [index, 10_500 + turn * 10_000]))
  })
})
