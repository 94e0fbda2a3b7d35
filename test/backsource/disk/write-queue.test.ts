import { expect, test } from 'vitest'
import { WriteQueue } from '../../../src/backsource/disk/write-queue.ts'

test('does one thing after the other, and knows what waits', async () => {
  const queue = new WriteQueue()
  const story: string[] = []
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  queue.add(async () => {
    story.push('first begins')
    await gate
    story.push('first ends')
  }, 100)
  queue.add(async () => {
    story.push('second')
    // What a task adds waits for its turn, and is waited for.
    queue.add(async () => {
      story.push('third')
    })
  }, 20)
  expect([queue.tasks, queue.bytes]).toEqual([2, 120])
  open()
  await queue.drained()
  expect(story).toEqual(['first begins', 'first ends', 'second', 'third'])
  expect([queue.tasks, queue.bytes]).toEqual([0, 0])
})
