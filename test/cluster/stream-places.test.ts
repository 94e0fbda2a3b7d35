import { expect, test } from 'vitest'
import type { StreamOwner } from '../../src/cluster/owner.ts'
import { StreamPlaces } from '../../src/cluster/stream-places.ts'

const at = (node: string): StreamOwner => ({ node, rtmp: `rtmp://${node}`, http: '' })

/** Places whose answers are a test's, in the order in which they were asked for. */
function setUp() {
  const answers: PromiseWithResolvers<StreamOwner | null>[] = []
  const places = new StreamPlaces(() => {
    const answer = Promise.withResolvers<StreamOwner | null>()
    answers.push(answer)
    return answer.promise
  })
  return { places, answers }
}

test('who asks for a stream that is asked for shares the answer', async () => {
  const { places, answers } = setUp()
  const both = [places.find('x'), places.find('x')]
  places.find('y').catch(() => {})
  expect(answers.length).toBe(2)
  answers[0]!.resolve(at('a'))
  expect(await Promise.all(both)).toStrictEqual([at('a'), at('a')])
  expect(places.last('x')).toStrictEqual(at('a'))
  expect(places.last('y')).toBeNull()
  const again = places.find('x')
  answers[2]!.resolve(null)
  expect(await again).toBeNull()
  expect(places.last('x')).toBeNull()
})

test('a failure is told to all, and changes nothing', async () => {
  const { places, answers } = setUp()
  const first = places.find('x')
  answers[0]!.resolve(at('a'))
  await first
  const second = places.find('x')
  answers[1]!.reject(new Error('away'))
  await expect(second).rejects.toThrow('away')
  expect(places.last('x')).toStrictEqual(at('a'))
})

test.each(['x', null])(
  'an answer that was on its way when %j began elsewhere is not shared',
  async (stream) => {
    const { places, answers } = setUp()
    const before = places.find('x')
    places.changed(stream)
    const after = places.find('x')
    answers[1]!.resolve(at('b'))
    expect(await after).toStrictEqual(at('b'))
    answers[0]!.resolve(null)
    expect(await before).toBeNull()
    expect(places.last('x')).toStrictEqual(at('b'))
  },
)

test('of many streams the latest are remembered', async () => {
  const places = new StreamPlaces(async () => at('a'))
  for (let i = 0; i <= 10_000; i += 1) await places.find(`${i}`)
  expect(places.last('0')).toBeNull()
  expect(places.last('1')).toStrictEqual(at('a'))
})
