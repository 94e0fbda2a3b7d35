import { createConnection } from 'node:net'
import { expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { holderOfLock, NameLock } from '../../src/master/name-lock.ts'

test('a lock is held by one, until it is released', async () => {
  const name = `weir-test:${newId()}`
  expect(holderOfLock(name)).toBeNull()
  const lock = await NameLock.acquire(name)
  expect(lock).not.toBeNull()
  expect(holderOfLock(name)).toStrictEqual({ pid: process.pid })
  expect(await NameLock.acquire(name)).toBeNull()
  await lock!.release()
  expect(holderOfLock(name)).toBeNull()
  const next = await NameLock.acquire(name)
  expect(next).not.toBeNull()
  await next!.release()
})

test('locks of different names are different locks, though one begins with the other', async () => {
  const name = `weir-test:${newId()}`
  const locks = [await NameLock.acquire(name), await NameLock.acquire(`${name}:more`)]
  for (const lock of locks) await lock!.release()
})

test('a lock says nothing to who connects', async () => {
  const name = `weir-test:${newId()}`
  const lock = await NameLock.acquire(name)
  const socket = createConnection({ path: `\0${name}` })
  let said = ''
  socket.on('data', (bytes) => {
    said += bytes.toString()
  })
  await new Promise((resolve) => socket.once('close', resolve))
  expect(said).toBe('')
  await lock!.release()
})
