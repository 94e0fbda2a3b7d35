import { expect, test } from 'vitest'
import { StreamHeaders } from '../../src/live/stream-headers.ts'
import {
  audioHeader,
  cuePoint,
  interFrame,
  keyFrame,
  marks,
  metadata,
  sound,
  videoHeader,
} from '../support/packets.ts'

test('lists what came in the order in which a decoder wants it', () => {
  const headers = new StreamHeaders()
  expect(headers.list()).toStrictEqual([])
  for (const packet of [audioHeader('aac'), videoHeader('avc'), metadata('meta')]) headers.keep(packet)
  expect(marks(headers.list())).toStrictEqual(['meta', 'avc', 'aac'])
})

test('keeps the newest of each', () => {
  const headers = new StreamHeaders()
  for (const packet of [videoHeader('old'), metadata('meta'), videoHeader('new')]) headers.keep(packet)
  expect(marks(headers.list())).toStrictEqual(['meta', 'new'])
})

test('keeps nothing else', () => {
  const headers = new StreamHeaders()
  for (const packet of [keyFrame(0), interFrame(40), sound(50), cuePoint(60)]) headers.keep(packet)
  expect(headers.list()).toStrictEqual([])
})

test('forgets all of them', () => {
  const headers = new StreamHeaders()
  for (const packet of [audioHeader('aac'), videoHeader('avc'), metadata('meta')]) headers.keep(packet)
  headers.clear()
  expect(headers.list()).toStrictEqual([])
})
