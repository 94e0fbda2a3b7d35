import { expect, test } from 'vitest'
import { Admission } from '../../src/master/admission.ts'
import { FakeWorker } from './fakes.ts'

function workers() {
  return { one: new FakeWorker('s1').handle, two: new FakeWorker('s2').handle }
}

test('admits as many connections as allowed, over all workers', () => {
  const { one, two } = workers()
  const admission = new Admission(2)
  expect([admission.admit(one, 'a'), admission.admit(two, 'b'), admission.admit(one, 'c')]).toStrictEqual([
    true,
    true,
    false,
  ])
  expect(admission).toMatchObject({ total: 2, refused: 1 })
})

test('has room again when one leaves', () => {
  const { one, two } = workers()
  const admission = new Admission(1)
  admission.admit(one, 'a')
  admission.left(one, 'a')
  expect(admission.admit(two, 'b')).toBe(true)
})

test('counts nothing twice, neither who comes nor who leaves', () => {
  const { one, two } = workers()
  const admission = new Admission(10)
  admission.admit(one, 'a')
  admission.admit(one, 'a')
  expect(admission.total).toBe(1)
  for (const worker of [two, one, one]) admission.left(worker, 'a')
  expect(admission.total).toBe(0)
})

test('does not count who leaves after it was refused', () => {
  const { one } = workers()
  const admission = new Admission(1)
  admission.admit(one, 'a')
  admission.admit(one, 'b')
  admission.left(one, 'b')
  expect(admission.total).toBe(1)
})

test('forgets the connections of a worker that died, also when they are reported late', () => {
  const { one, two } = workers()
  const admission = new Admission(10)
  for (const id of ['a', 'b']) admission.admit(one, id)
  admission.admit(two, 'c')
  admission.onWorkerLost(one)
  admission.onWorkerLost(one)
  admission.left(one, 'a')
  expect(admission.total).toBe(1)
})

test('takes another limit at once; who is in stays in', () => {
  const { one } = workers()
  const admission = new Admission(2)
  for (const id of ['a', 'b']) admission.admit(one, id)
  admission.max = 1
  admission.left(one, 'a')
  expect(admission.admit(one, 'c')).toBe(false)
  admission.max = 2
  expect(admission.admit(one, 'd')).toBe(true)
})
