/**
 * Plays HLS in Chromium for minutes while the encoder stops and returns, and tells what went wrong: for changes of the
 * segmenter, and new versions of hls.js. Needs what the end-to-end tests need, and a build.
 *
 *   node scripts/hls-in-browser.ts [--minutes 10] [--republishes 2]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort } from '../test/e2e/support/free-port.ts'
import { startBrowser } from '../test/e2e/support/start-browser.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    republishes: { type: 'string', default: '2' },
  },
})
const durationMs = Number(values.minutes) * 60_000
const republishes = Number(values.republishes)

/** How long the encoder is away. */
const awayMs = 3000

const dir = mkdtempSync(join(tmpdir(), 'weir-hls-'))
const [rtmpPort, httpPort] = [await freePort(), await freePort()]

/** Something that is worth to be told, with the time since the start. */
function note(text: string): void {
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${text}`)
}

function startServer(): ChildProcess {
  const config = `listen 127.0.0.1:${rtmpPort}; pid ./weir.pid; runtime_dir ./run; daemon off;
    srs_log_tank file; srs_log_file ./weir.log; worker_processes 1;
    http_server { enabled on; listen 127.0.0.1:${httpPort}; dir ./html; }
    vhost __defaultVhost__ { hls { enabled on; hls_path ./html; hls_fragment 2; hls_window 20; } }`
  writeFileSync(join(dir, 'weir.conf'), config)
  const weir = fileURLToPath(new URL('../bin/weir', import.meta.url))
  return spawn(weir, ['-c', 'weir.conf'], { cwd: dir, stdio: 'ignore' })
}

function publish(): ChildProcess {
  const args =
    '-nostdin -loglevel error -re -f lavfi -i testsrc2=size=640x360:rate=25 ' +
    '-f lavfi -i sine=frequency=440:sample_rate=44100 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -bf 2 ' +
    `-b:v 800k -c:a aac -b:a 96k -f flv rtmp://127.0.0.1:${rtmpPort}/live/one`
  return spawn('ffmpeg', args.split(' '), { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Waits until the server answers a path. */
async function answers(path: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const isThere = await fetch(`http://127.0.0.1:${httpPort}${path}`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isThere) return
    await delay(100)
  }
  throw new Error(`${path} is not there after half a minute`)
}

const startedAt = performance.now()
const server = startServer()
let encoder: ChildProcess | null = null
const browser = await startBrowser()
try {
  await answers('/console/server.json')
  encoder = publish()
  await answers('/live/one.m3u8')
  const page = await browser.newPage()
  page.on('pageerror', (error) => note(`page: ${error}`))
  page.on('console', (message) => note(`console: ${message.text()}`))
  page.on('response', (response) => {
    if (response.status() >= 400) note(`${response.status()} ${response.url()}`)
  })
  await page.goto(`http://127.0.0.1:${httpPort}/players/?url=/live/one.m3u8`)
  const timeOf = (): Promise<number> =>
    page.locator('video').evaluate((video) => (video as unknown as { currentTime: number }).currentTime)
  const figure = (name: string): Promise<string | null> =>
    page.locator('.figures div', { hasText: name }).locator('dd').textContent()
  const overlay = (): Promise<string | null> => page.locator('.overlay').textContent()

  let [last, shown, republished, frozen] = [0, '', 0, 0]
  const begin = performance.now()
  while (performance.now() - begin < durationMs) {
    await delay(1000)
    const now = await timeOf()
    if (now === last) {
      frozen += 1
      note(`the picture stands at ${now.toFixed(1)}`)
    }
    last = now
    const text = (await overlay()) ?? ''
    if (text !== shown && text !== '') note(`the player says: ${text}`)
    shown = text
    const due = ((republished + 1) * durationMs) / (republishes + 1)
    if (republished < republishes && performance.now() - begin > due) {
      republished += 1
      note(`republish ${republished}`)
      encoder.kill('SIGTERM')
      await delay(awayMs)
      encoder = publish()
    }
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  note(`played ${(await timeOf()).toFixed(1)} s in ${seconds} s with ${republished} republishes`)
  note(
    `stalls ${await figure('Stalls')}, seconds without progress ${frozen}, dropped ${await figure('Dropped')}`,
  )
  note(`latency ${await figure('Latency')}, start-up ${await figure('Start-up')}`)
} finally {
  await browser.close()
  encoder?.kill('SIGKILL')
  server.kill('SIGTERM')
  await new Promise((resolve) => server.once('exit', resolve))
  rmSync(dir, { recursive: true, force: true })
}
