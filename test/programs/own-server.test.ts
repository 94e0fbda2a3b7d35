import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'
import { isOwnServer, ownAddress } from '../../src/programs/own-server.ts'

const configOf = (text: string) => interpret(parse(text, 'x.conf')).config

test.each([
  ['listen 1936 1937;', '127.0.0.1', 1936],
  ['listen 0.0.0.0:1935;', '127.0.0.1', 1935],
  ['listen [::]:1935;', '[::1]', 1935],
  ['listen [::1]:1935;', '[::1]', 1935],
  ['listen 10.0.0.1:1;', '10.0.0.1', 1],
])('%s is reached at %s:%i', (listen, host, port) => {
  expect(ownAddress(configOf(listen))).toEqual({ host, port })
})

const config = configOf('listen 1935 [2001:db8::1]:1936; vhost tv.example.com { }')

test.each([
  ['rtmp://127.0.0.1/live/x', true],
  ['rtmp://127.0.0.1:1935/live?vhost=v/x', true],
  ['rtmp://127.0.0.2:1936/live/x', true],
  ['rtmp://localhost/live/x', true],
  ['rtmp://[::1]:1935/live/x', true],
  ['rtmp://[2001:db8::1]:1936/live/x', true],
  ['rtmp://TV.example.com/live/x', true],
  [`rtmp://${hostname()}/live/x`, true],
  ['rtmp://127.0.0.1:1937/live/x', false],
  ['rtmp://tv.example.org/live/x', false],
  ['http://127.0.0.1:1935/live/x', false],
  ['./127.0.0.1:1935', false],
  ['rtmp://', false],
  ['', false],
])('%s leads to this server: %s', (url, is) => {
  expect(isOwnServer(url, config)).toBe(is)
})
