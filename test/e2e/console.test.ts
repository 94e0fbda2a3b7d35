import { mkdirSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { RedisServer } from '../support/redis-server.ts'
import { type Colour, coloursOf, WatchedPage } from './support/browser.ts'
import { publishFile } from './support/ffmpeg.ts'
import { freePort } from './support/free-port.ts'
import { media } from './support/media.ts'
import { Server } from './support/server.ts'
import { startBrowser } from './support/start-browser.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())

const remux = 'http_remux { enabled on; }'
const hls = 'hls { enabled on; hls_path ./html; hls_fragment 1; hls_window 20; }'

/** A server with the API on an address of its own, as most have it. */
async function startConsoleServer(
  vhost = remux,
  ofApi = '',
  settings = '',
): Promise<{ server: Server; api: string }> {
  const server = await Server.prepare()
  const apiPort = await freePort()
  const more = `http_server { enabled on; listen ${server.httpPort}; dir ./html; }
    http_api { enabled on; listen 127.0.0.1:${apiPort}; ${ofApi} } ${settings}`
  server.configure({ settings: { http_workers: 1, source_linger: 60 }, vhost, more })
  await server.start()
  return { server, api: `http://127.0.0.1:${apiPort}` }
}

/** The bars of ffmpeg's testsrc2, from left to right. */
const bars: readonly Colour[] = [
  [255, 0, 0],
  [0, 255, 0],
  [255, 255, 0],
  [0, 0, 255],
  [255, 0, 255],
  [0, 255, 255],
]

/** Rows of the picture that are looked at: things move across it, but not everywhere at once. */
const rows = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]

/** Checks that a picture of the screen shows the bars of the test picture. */
function expectTestPicture(png: Buffer): void {
  const points = bars.flatMap((_, bar) => rows.map((row) => [(bar + 0.5) / bars.length, row] as const))
  const colours = coloursOf(png, points)
  const seen = bars.map((bar, index) => {
    const inBar = colours.slice(index * rows.length, (index + 1) * rows.length)
    return inBar.filter((colour) => colour.every((part, at) => Math.abs(part - bar[at]!) < 70)).length
  })
  for (const count of seen) expect(count, `rows of each bar: ${seen}`).toBeGreaterThanOrEqual(3)
}

/**
 * Waits until a page has played for some seconds without a stall or a leap. On a busy machine one may come that is none
 * of the server's: then the seconds are counted anew.
 */
async function playsWithoutStall(watched: WatchedPage, seconds: number): Promise<void> {
  let from = { stalls: '', played: 0 }
  await until(
    `${seconds} s without a stall`,
    async () => {
      const [stalls, played] = [await watched.figure('Stalls'), await watched.playedInOnePiece()]
      if (stalls !== from.stalls || played < from.played) from = { stalls: stalls ?? '', played }
      return played - from.played >= seconds
    },
    60_000,
  )
}

test('a stream plays in a page, by every protocol: ten seconds without a stall, and it is the test picture', async () => {
  const { server } = await startConsoleServer(remux + hls)
  publishFile(media().clip, server.url('clip'), { loop: true })
  const url = encodeURIComponent('/live/clip.flv')
  const play = async (protocol: string): Promise<void> => {
    const address = server.httpUrl(`/players/?url=${url}&protocol=${protocol}`)
    const watched = await WatchedPage.open(browser, address, { viewport: { width: 640, height: 600 } })
    const { page } = watched
    expect(await page.getByRole('radio', { checked: true }).getAttribute('value')).toBe(protocol)
    await playsWithoutStall(watched, 10)
    expect(await watched.figure('Picture')).toBe('320×180')
    expect(await watched.figure('Start-up')).toMatch(/^\d+ ms$/)
    expectTestPicture(await page.locator('video').screenshot())
    expect([...watched.hosts]).toEqual(['127.0.0.1'])
    expect(watched.errors).toEqual([])
    await page.close()
  }
  await until('the playlist', async () => (await fetch(server.httpUrl('/live/clip.m3u8'))).ok)
  await Promise.all(['http-flv', 'ws-flv', 'hls'].map(play))
}, 120_000)

test('the console shows streams, plays and stops them, kicks clients, and takes hostile names for text', async () => {
  const exec = `exec { enabled on; publish sleep 600; publish sh -c 'echo no such thing; exit 3'; }`
  const { server, api } = await startConsoleServer(remux + exec)
  const hostile = '<img src=x onerror=document.title=1>'
  const publisher = await TestPublisher.publish(server.url(encodeURIComponent(hostile)))
  publisher.goLive()
  const clip = publishFile(media().clip, server.url('clip'), { loop: true })
  const referer = 'http://127.0.0.1/"><script>document.title=1</script>'
  const viewer = get(server.httpUrl('/live/clip.flv'), { headers: { referer } })
  viewer.on('error', () => {})

  // From the site's port to the API's, as a page of another origin.
  const watched = await WatchedPage.open(browser, server.httpUrl('/'))
  const { page } = watched
  await page.locator('.link-status', { hasText: 'Live' }).waitFor()
  const stream = page.locator('tr[data-stream]', { hasText: 'live/clip' })
  await stream.getByText('320×180').waitFor()
  await stream.getByText('AAC').waitFor()
  await page.locator('tr[data-stream]').getByText(`live/${hostile}`, { exact: true }).waitFor()
  await page.getByText(referer).waitFor()
  const programs = page.locator('tr[data-program]', { hasText: 'live/clip' })
  await programs.filter({ hasText: 'Exec 1' }).getByText('runs', { exact: true }).waitFor()
  await programs.filter({ hasText: 'Exec 2' }).getByText('exit status 3: no such thing').waitFor()
  const search = page.getByLabel('Search clients')
  await search.fill('CLIP http-flv')
  await until('the one client that fits', async () => (await page.locator('tr[data-client]').count()) === 1)
  await search.fill('nobody')
  await page.getByText('No client fits.').waitFor()
  await search.fill('')

  await stream.getByRole('button', { name: /^Play/ }).click()
  await until('the stream to play in the console', async () => (await watched.playedInOnePiece()) > 0)
  await stream.getByRole('button', { name: /^Play/ }).click()
  expect(await page.locator('video').count()).toBe(0)

  const { connectionId } = publisher.served
  await page.getByRole('button', { name: `Kick ${connectionId}` }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  expect(publisher.client.closed).toBe(false)
  await page.getByRole('button', { name: `Kick ${connectionId}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Kick' }).click()
  await within('the publisher to be kicked', publisher.ended)
  await page.getByText(`Kick ${connectionId}: done.`).waitFor()

  await stream.getByRole('button', { name: /^Take/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
  await within('ffmpeg to be stopped', clip.exited)
  await stream.getByText('no publisher').waitFor()

  expect(await page.title()).toBe('Console – Weir')
  expect(await page.locator('#app img, #app script').count()).toBe(0)
  expect([...watched.hosts]).toEqual(['127.0.0.1'])
  expect(watched.errors).toEqual([])
  viewer.destroy()
  expect((await fetch(`${api}/console/`)).status).toBe(200)
})

test('without a stream the console says how to publish; with the server gone it says so, and it comes back', async () => {
  const { server, api } = await startConsoleServer()
  const { page, errors } = await WatchedPage.open(browser, `${api}/`)
  await page.getByText('Nobody publishes a stream yet').waitFor()
  await page.getByText(`rtmp://127.0.0.1:${server.port}/live`, { exact: true }).waitFor()
  expect(await page.locator('#cluster').count()).toBe(0)
  expect(errors).toEqual([])
  await server.stop()
  await page.getByText('The server is away').waitFor()
  await page.locator('.link-status', { hasText: 'No answer' }).waitFor()
  await server.start()
  await page.locator('.link-status', { hasText: 'Live' }).waitFor()
  expect(await page.getByText('The server is away').count()).toBe(0)
  await page.getByRole('button', { name: /^Colours/ }).press('Enter')
  expect(await page.locator('html').getAttribute('data-theme')).toBe('light')
})

test('a recording is in the list when its stream is over, and leads to the player; a node shows its cluster', async () => {
  const dvr = 'dvr { enabled on; dvr_path ./html/[app]/[stream].flv; }'
  const redis = await RedisServer.start()
  onTestFinished(() => redis.kill())
  const node = `registry redis; redis ${redis.url}; node origin-1; advertise rtmp://192.0.2.1:1935;`
  const { server, api } = await startConsoleServer(remux + dvr, '', `cluster { ${node} }`)
  const clip = publishFile(media().clip, server.url('clip'), { loop: true })
  const { page, errors } = await WatchedPage.open(browser, `${api}/`)
  const recording = page.locator('tr[data-recording]')
  await recording.getByText('is recorded').waitFor()
  await page.locator('tr[data-node="origin-1"]').getByText('this server').waitFor()
  await page.locator('tr[data-place="clip"]').getByText('origin-1').waitFor()
  clip.kill()
  const play = recording.getByRole('link', { name: /^Play/ })
  expect(await play.getAttribute('href')).toContain(encodeURIComponent(server.httpUrl('/live/clip.flv')))
  expect(errors).toEqual([])
})

test('an API with a password makes the console ask for it; a token will do', async () => {
  const access = 'auth { enabled on; username admin; password secret; tokens t0ken; }'
  const { server } = await startConsoleServer(remux, access)
  for (const [kind, ofField] of [
    ['Password', 'secret'],
    ['Bearer token', 't0ken'],
  ] as const) {
    // From the site's port: the API is of another origin.
    const { page } = await WatchedPage.open(browser, server.httpUrl('/'))
    await page.getByText('A token instead').click()
    const logIn = async (value: string): Promise<void> => {
      await page.getByLabel('User name').fill('admin')
      await page.getByLabel(kind).fill(value)
      await page.getByRole('button', { name: 'Log in' }).click()
    }
    await logIn('wrong')
    await page.getByText('That is not right.').waitFor()
    await page.getByText('A token instead').click()
    await logIn(ofField)
    await page.locator('.link-status', { hasText: 'Live' }).waitFor()
    await page.reload()
    await page.locator('.link-status', { hasText: 'Live' }).waitFor()
  }
})

test('pages come with what keeps them safe and quick; files of the operator win; `pages off` leaves them out', async () => {
  const { server, api } = await startConsoleServer()
  const ask = (url: string, headers: Record<string, string> = {}) =>
    fetch(url, { headers, redirect: 'manual' })
  const home = await ask(server.httpUrl('/?a=1'))
  expect([home.status, home.headers.get('location')]).toEqual([302, '/console/?a=1'])
  expect((await ask(server.httpUrl('/players'))).headers.get('location')).toBe('/players/')
  const page = await ask(server.httpUrl('/players/'))
  const html = await page.text()
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
  expect(page.headers.get('cache-control')).toBe('no-cache')
  expect((await ask(page.url, { 'if-none-match': page.headers.get('etag')! })).status).toBe(304)
  const script = new URL(/src="([^"]+\.js)"/.exec(html)![1]!, page.url)
  const asset = await ask(script.href, { 'accept-encoding': 'gzip' })
  expect(asset.headers.get('cache-control')).toContain('immutable')
  expect(asset.headers.get('content-encoding')).toBe('gzip')
  expect((await ask(server.httpUrl('/console/assets/none.js'))).status).toBe(404)
  expect((await ask(server.httpUrl('/console/..%2f..%2fcli/main.js'))).status).toBe(404)

  // A program gets what the API has there, a person the console.
  expect(await (await ask(`${api}/`)).json()).toMatchObject({ code: 0 })
  expect((await ask(`${api}/`, { accept: 'text/html' })).headers.get('location')).toBe('/console/')

  mkdirSync(join(server.htmlDir, 'players'), { recursive: true })
  writeFileSync(join(server.htmlDir, 'index.html'), 'mine')
  writeFileSync(join(server.htmlDir, 'players/index.html'), 'my player')
  expect(await (await ask(server.httpUrl('/'))).text()).toBe('mine')
  expect(await (await ask(server.httpUrl('/players/'))).text()).toBe('my player')
  expect((await ask(server.httpUrl('/console/'))).status).toBe(200)

  server.configure({
    settings: { http_workers: 1 },
    more: `http_server { enabled on; listen ${server.httpPort}; dir ./html; pages off; }`,
  })
  await server.reload()
  await until('the pages to be gone', async () => (await ask(server.httpUrl('/console/'))).status === 404)
  expect(await (await ask(server.httpUrl('/players/'))).text()).toBe('my player')
})
