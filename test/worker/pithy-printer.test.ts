import { describe, expect, test } from 'vitest'
import { PithyPrinter, type Summarised } from '../../src/worker/pithy-printer.ts'

type Role = Summarised['role']

/** Connections that write down when their line was printed. */
function connectionsOf(printed: string[], roles: Record<string, Role>): Map<string, Summarised> {
  return new Map(
    Object.entries(roles).map(([id, role]) => {
      return [id, { id, role, logSummary: () => printed.push(id) }]
    }),
  )
}

function setUp(roles: Record<string, Role>) {
  const printed: string[] = []
  const printer = new PithyPrinter(10_000)
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
    printer.intervalMs = 2000
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
    printer.intervalMs = 1000
    for (let now = 1000; now <= 3000; now += 1000) printer.print(now, connections)
    expect(printed.length).toBe(3)
  })
})
