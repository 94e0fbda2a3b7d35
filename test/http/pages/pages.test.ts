import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Pages } from '../../../src/http/pages/pages.ts'
import { configOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Asks for a page as a browser does, and tells where it is led. */
async function start() {
  const config = configOf('http_server { enabled on; }')
  const pages = new Pages({ logger: recordingLogger().logger, config }, tempDir())
  const http = createServer((request, response) => {
    expect(pages.has('site', request)).toBe(true)
    pages.answer('site', request, response)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return async (path: string) => {
    const { status, headers } = await fetch(base + path, { redirect: 'manual' })
    return [status, headers.get('Location')]
  }
}

test('the player that SRS’s console opens is the one here, with the stream that it names', async () => {
  const ask = await start()
  const rest = '&server=127.0.0.1&port=8080&autostart=true&schema=http'
  expect(await ask(`/players/srs_player.html?vhost=__defaultVhost__&app=live&stream=a.flv${rest}`)).toEqual([
    302,
    '/players/?url=%2Flive%2Fa.flv%3Fvhost%3D__defaultVhost__',
  ])
  const odd = `/players/srs_player.html?vhost=&app=a%2Fb&stream=${encodeURIComponent('ä?&.flv')}`
  const [status, location] = await ask(odd)
  expect([status, new URLSearchParams(String(location).split('?')[1]).get('url')]).toEqual([
    302,
    `/a/b/${encodeURIComponent('ä?&.flv')}`,
  ])
  expect(await ask('/players/srs_player.html')).toEqual([302, '/players/'])
})

test('a path without its slash at the end leads to the one with it, and keeps the query', async () => {
  const ask = await start()
  expect(await ask('/players?url=x')).toEqual([302, '/players/?url=x'])
  expect(await ask('/')).toEqual([302, '/console/'])
})
