/**
 * Ten minutes of live HLS and HTTP-TS in real time, with two republishes, as ffmpeg plays them: what it complains of, and
 * how many frames it got. It takes little CPU, and as long as it says.
 *
 *   sh scripts/build.sh && node_modules/.bin/node bench/hls-soak.ts [MINUTES]
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const publishes = 3
/** Between two publishes: longer than a source lingers is another story. */
const gapMs = 2000
/** How long players may take for what is left when the last publish is over. */
const restMs = 15_000

const weir = fileURLToPath(new URL('../bin/weir', import.meta.url))
const minutes = Number(process.argv[2] ?? 10)
const dir = mkdtempSync(join(tmpdir(), 'weir-soak-'))

/** What ffmpeg says at the end: of a stream without a length (docs/http.md), and of being told to stop. */
const ends = /Stream ends prematurely|: Input\/output error$|Immediate exit requested/

/** A player: ffmpeg, which lists what it gets and says what is wrong with it. */
class Player {
  readonly name: string
  readonly #child: ChildProcess
  readonly #complaints: Promise<string>
  readonly #list: Promise<string>

  constructor(name: string, url: string) {
    this.name = name
    const list = ['-c', 'copy', '-flush_packets', '1', '-f', 'framecrc', '-']
    const args = ['-v', 'error', '-nostdin', '-i', url, '-map', '0', ...list]
    this.#child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#list = text(this.#child.stdout!)
    this.#complaints = text(this.#child.stderr!)
  }

  async finish(): Promise<{ name: string; frames: number; complaints: string[] }> {
    // The first one ends it when it reads something, the second one when it waits.
    this.#child.kill('SIGINT')
    await setTimeout(1000)
    this.#child.kill('SIGINT')
    const [list, complaints] = await Promise.all([this.#list, this.#complaints])
    const frames = [...list.matchAll(/^0,/gm)].length
    const lines = complaints.split('\n').filter((line) => line !== '' && !ends.test(line))
    return { name: this.name, frames, complaints: lines }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function waitFor(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await check().catch(() => false)) return
    await setTimeout(100)
  }
  throw new Error(`waited in vain for ${what}`)
}

const [rtmp, http] = [await freePort(), await freePort()]
writeFileSync(
  join(dir, 'weir.conf'),
  `listen 127.0.0.1:${rtmp}; pid ./weir.pid; runtime_dir ./run; daemon off;
   worker_processes 1; http_workers 1; srs_log_tank file; srs_log_file ./weir.log;
   http_server { enabled on; listen 127.0.0.1:${http}; dir ./html; }
   vhost __defaultVhost__ {
     hls { enabled on; hls_path ./html; hls_fragment 4; hls_window 30; }
     http_remux { enabled on; mount [vhost]/ts/[app]/[stream].ts; }
   }`,
)
const clip = join(dir, 'clip.flv')
const quiet = ['-v', 'error', '-nostdin', '-y']
const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=20']
const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=20']
const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '50', '-bf', '2']
execFileSync('ffmpeg', [...quiet, ...picture, ...sound, ...coded, '-c:a', 'aac', clip])

const server = spawn(weir, ['-c', 'weir.conf'], { cwd: dir, stdio: 'ignore' })
try {
  const url = `http://127.0.0.1:${http}`
  await waitFor('the server', async () => (await fetch(`${url}/none`)).status === 404)
  const players: Player[] = []
  for (let index = 0; index < publishes; index += 1) {
    const seconds = (minutes * 60) / publishes
    const loop = ['-re', '-stream_loop', '-1', '-i', clip, '-t', String(seconds), '-c', 'copy', '-f', 'flv']
    const publisher = spawn('ffmpeg', [...quiet, ...loop, `rtmp://127.0.0.1:${rtmp}/live/soak`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (players.length === 0) {
      players.push(new Player('HTTP-TS', `${url}/ts/live/soak.ts`))
      await waitFor('the playlist', async () => (await fetch(`${url}/live/soak.m3u8`)).ok)
      players.push(new Player('HLS', `${url}/live/soak.m3u8`))
    }
    if (publisher.exitCode === null) await once(publisher, 'exit')
    console.log(`publish ${index + 1} of ${publishes} is over`)
    if (index + 1 < publishes) await setTimeout(gapMs)
  }
  await setTimeout(restMs)
  for (const player of players) console.log(JSON.stringify(await player.finish()))
  const warnings = readFileSync(join(dir, 'weir.log'), 'utf8')
    .split('\n')
    .filter((line) => /"level":"(?:warn|error)"/.test(line))
  console.log(`published: ${minutes * 60 * 25} frames; warnings of the server: ${warnings.length}`)
  for (const line of warnings) console.log(line)
} finally {
  server.kill('SIGTERM')
  await once(server, 'exit')
  rmSync(dir, { recursive: true, force: true })
}
