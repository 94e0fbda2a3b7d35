import { expect, test } from 'vitest'
import { ownClientKind, ownClientParam } from '../../src/base/own-client.ts'

test.each([
  ['?weir_own=transcode.s3cret', 'transcode'],
  ['?a=b&weir_own=ingest.s3cret&c=d', 'ingest'],
  ['weir_own=exec.s3cret?vhost=v', 'exec'],
  ['?weir_own=nothing.x&weir_own=exec.s3cret', 'exec'],
  ['?weir_own=transcode.s3cre', null],
  ['?weir_own=transcode.s3cret2', null],
  ['?weir_own=transcode.', null],
  ['?weir_own=other.s3cret', null],
  ['?weir_own=s3cret', null],
  ['?weir_own', null],
  ['', null],
])('%s is %s', (param, kind) => {
  expect(ownClientKind(param, 's3cret')).toBe(kind)
})

test('what is written is read', () => {
  expect(ownClientKind(`?${ownClientParam('transcode', 'x')}`, 'x')).toBe('transcode')
})

test('without a token nobody is known', () => {
  expect(ownClientKind(`?${ownClientParam('transcode', '')}`, '')).toBeNull()
})
