import { describe, expect, test } from 'vitest'
import { Admission } from '../../src/master/admission.ts'
import type { WorkerHandle } from '../../src/master/worker-handle.ts'
import { FakeWorker } from './fakes.ts'

function workers() {
  return { one: new FakeWorker('s1').handle, two: new FakeWorker('s2').handle }
}

function admissionOf(max: number, maxPerIp = 0): Admission {
  return new Admission({ maxConnections: max, maxConnectionsPerIp: maxPerIp })
}

/** Whether a connection of an address gets in. */
function admit(admission: Admission, worker: WorkerHandle, id: string, ip = '192.0.2.1'): boolean {
  return admission.admit(worker, id, ip) === null
}

test('admits as many connections as allowed, over all workers', () => {
  const { one, two } = workers()
  const admission = admissionOf(2)
  expect([admit(admission, one, 'a'), admit(admission, two, 'b'), admit(admission, one, 'c')]).toStrictEqual([
    true,
    true,
    false,
  ])
  expect(admission).toMatchObject({ total: 2, refused: 1 })
})

test('has room again when one leaves', () => {
  const { one, two } = workers()
  const admission = admissionOf(1)
  admit(admission, one, 'a')
  admission.left(one, 'a', false)
  expect(admit(admission, two, 'b')).toBe(true)
  expect(admission).toMatchObject({ total: 1, admitted: 2 })
})

test('counts nothing twice, neither who comes nor who leaves', () => {
  const { one, two } = workers()
  const admission = admissionOf(10)
  admit(admission, one, 'a')
  admit(admission, one, 'a')
  expect(admission.total).toBe(1)
  for (const worker of [two, one, one]) admission.left(worker, 'a', false)
  expect(admission.total).toBe(0)
})

test('does not count who leaves after it was refused', () => {
  const { one } = workers()
  const admission = admissionOf(1)
  admit(admission, one, 'a')
  admit(admission, one, 'b')
  admission.left(one, 'b', false)
  expect(admission.total).toBe(1)
})

test('forgets the connections of a worker that died, also when they are reported late', () => {
  const { one, two } = workers()
  const admission = admissionOf(10)
  for (const id of ['a', 'b']) admit(admission, one, id)
  admit(admission, two, 'c')
  admission.onWorkerLost(one)
  admission.onWorkerLost(one)
  admission.left(one, 'a', false)
  expect(admission.total).toBe(1)
})

test('counts who ended with an error, and who was on a worker that died, once', () => {
  const { one, two } = workers()
  const admission = admissionOf(5)
  for (const id of ['a', 'b', 'c', 'd']) admit(admission, one, id)
  admit(admission, two, 'e')
  expect(admit(admission, two, 'f')).toBe(false)
  admission.left(one, 'a', true)
  admission.left(one, 'a', true)
  admission.left(one, 'b', false)
  admission.left(two, 'f', true)
  expect(admission).toMatchObject({ admitted: 5, failed: 1, refused: 1 })
  admission.onWorkerLost(one)
  admission.onWorkerLost(two)
  admission.left(one, 'c', true)
  expect(admission).toMatchObject({ total: 0, failed: 4 })
})

test('takes another limit at once; who is in stays in', () => {
  const { one } = workers()
  const admission = admissionOf(2)
  for (const id of ['a', 'b']) admit(admission, one, id)
  admission.limits = { maxConnections: 1, maxConnectionsPerIp: 0 }
  admission.left(one, 'a', false)
  expect(admit(admission, one, 'c')).toBe(false)
  admission.limits = { maxConnections: 2, maxConnectionsPerIp: 0 }
  expect(admit(admission, one, 'd')).toBe(true)
})

describe('of one address', () => {
  test('admits as many as allowed, over all workers, and tells which limit it is', () => {
    const { one, two } = workers()
    const admission = admissionOf(10, 2)
    expect(admit(admission, one, 'a')).toBe(true)
    expect(admit(admission, two, 'b')).toBe(true)
    expect(admission.admit(two, 'c', '192.0.2.1')).toStrictEqual({
      code: 'ADDRESS_LIMIT',
      message: 'max_connections_per_ip 2 is reached by 192.0.2.1',
    })
    expect(admit(admission, one, 'd', '192.0.2.2')).toBe(true)
    expect(admission).toMatchObject({ total: 3, refused: 1 })
  })

  test('tells of max_connections first', () => {
    const { one } = workers()
    const admission = admissionOf(1, 1)
    admit(admission, one, 'a')
    expect(admission.admit(one, 'b', '192.0.2.1')).toStrictEqual({
      code: 'CONNECTION_LIMIT',
      message: 'max_connections 1 is reached',
    })
  })

  test('has room again when one leaves, or with the worker that it was on', () => {
    const { one, two } = workers()
    const admission = admissionOf(10, 1)
    admit(admission, one, 'a')
    admission.left(one, 'b', false)
    expect(admit(admission, two, 'b')).toBe(false)
    admission.left(two, 'b', false)
    expect(admit(admission, two, 'c')).toBe(false)
    admission.left(one, 'a', false)
    expect(admit(admission, two, 'd')).toBe(true)
    admission.onWorkerLost(two)
    expect(admit(admission, one, 'e')).toBe(true)
  })

  test('is the first half of an IPv6 address', () => {
    const { one } = workers()
    const admission = admissionOf(10, 1)
    expect(admit(admission, one, 'a', '2001:db8::1')).toBe(true)
    expect(admit(admission, one, 'b', '2001:db8:0:0:ffff::9')).toBe(false)
    expect(admit(admission, one, 'c', '2001:db8:0:1::1')).toBe(true)
  })

  test('counts who came before there was a limit', () => {
    const { one } = workers()
    const admission = admissionOf(10)
    for (const id of ['a', 'b', 'c']) admit(admission, one, id)
    admission.limits = { maxConnections: 10, maxConnectionsPerIp: 3 }
    expect(admit(admission, one, 'd')).toBe(false)
    admission.limits = { maxConnections: 10, maxConnectionsPerIp: 0 }
    expect(admit(admission, one, 'e')).toBe(true)
  })
})
