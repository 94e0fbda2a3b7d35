// Measures how long the API takes to answer while 1,000 players play one stream from two stream workers: for each path, and
// over all. One request at a time, over one connection. Needs ffmpeg.
// Usage: sh scripts/build.sh && node bench/api.mjs [seconds]
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.mjs'

const seconds = Number(process.argv[2] ?? 20)
const players = 1000
const kbps = 250
const targetMs = 20
/** Between two requests: a console asks a few times a second, and some scripts beside it. */
const pauseMs = 20
/** The end of everything, whatever happens. */
const deadlineMs = (seconds + 60) * 1000

/** 326 kB. */
const allClients = `/api/v1/clients?count=${players}`

const paths = [
  '/api/v1/versions',
  '/api/v1/summaries',
  '/api/v1/vhosts',
  '/api/v1/streams',
  '/api/v1/clients',
  allClients,
  '/api/v1/workers',
  '/metrics',
]

const weir = fileURLToPath(new URL('../bin/weir', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'weir-bench-api-'))
const children = []

/** Starts a program, and waits until it has printed something. */
async function start(args, said) {
  const child = spawn(weir, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let output = ''
  const heard = new Promise((resolve, reject) => {
    const hear = (part) => {
      output += part
      if (output.includes(said)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`weir ${args.join(' ')} ended with ${code}: ${output}`)))
  })
  await heard
}

/** A clip of the rate that is wanted, as an encoder makes it. */
function makeClip(file) {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', '10', '-pix_fmt', 'yuv420p']
  const rate = ['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`, '-g', '50']
  const args = ['-v', 'error', ...source, '-c:v', 'libx264', '-preset', 'veryfast', ...rate, file]
  const { status, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`)
}

/** Every program that was started is told to end, and has ended. */
async function end() {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await Promise.race([gone, delay(10_000)])
    child.kill('SIGKILL')
  }
  rmSync(dir, { recursive: true, force: true })
}

function ask(agent, port, path) {
  return new Promise((resolve, reject) => {
    const begin = performance.now()
    get({ agent, port, host: '127.0.0.1', path }, (response) => {
      let bytes = 0
      const parts = []
      response.on('data', (part) => {
        bytes += part.length
        parts.push(part)
      })
      response.on('end', () => {
        const ms = performance.now() - begin
        if (response.statusCode === 200) resolve({ ms, bytes, text: Buffer.concat(parts).toString() })
        else reject(new Error(`${path}: ${response.statusCode}`))
      })
    }).on('error', reject)
  })
}

/** Milliseconds that all cores were busy, and in all. */
function cpuTicks() {
  const sum = { busy: 0, all: 0 }
  for (const { times } of cpus()) {
    const all = Object.values(times).reduce((total, ms) => total + ms, 0)
    sum.all += all
    sum.busy += all - times.idle
  }
  return sum
}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

function row(name, times, bytes) {
  const sorted = times.toSorted((a, b) => a - b)
  const cells = [percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1)]
  return `| ${name} | ${times.length} | ${cells.map((ms) => ms.toFixed(1)).join(' | ')} | ${bytes} |`
}

async function main() {
  const [rtmp, api] = [await freePort(), await freePort()]
  const lines = [
    `listen 127.0.0.1:${rtmp}; worker_processes 2; max_connections ${players + 100}; daemon off;`,
    'pid ./weir.pid; runtime_dir ./run; srs_log_tank file; srs_log_file ./weir.log; srs_log_level warn;',
    `http_api { enabled on; listen 127.0.0.1:${api}; }`,
    'vhost __defaultVhost__ { }',
  ]
  writeFileSync(join(dir, 'weir.conf'), `${lines.join('\n')}\n`)
  await start(['-c', 'weir.conf'], 'accepts clients on')
  const url = `rtmp://127.0.0.1:${rtmp}/live/show`
  makeClip(join(dir, 'clip.flv'))
  await start(['bench', 'publish', '-c', '1', '-r', url, '-i', 'clip.flv'], 'are up')
  const load = ['bench', 'play', '-c', String(players), '-r', url, '-d', String(seconds + 20)]
  await start(load, 'are up')

  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of paths) await ask(agent, api, path)
  const results = new Map(paths.map((path) => [path, { times: [], bytes: 0 }]))
  const before = cpuTicks()
  const stop = performance.now() + seconds * 1000
  for (let turn = 0; performance.now() < stop; turn += 1) {
    const path = paths[turn % paths.length]
    const { ms, bytes } = await ask(agent, api, path)
    const result = results.get(path)
    result.times.push(ms)
    result.bytes = bytes
    await delay(pauseMs)
  }
  const after = cpuTicks()
  const busy = (100 * (after.busy - before.busy)) / (after.all - before.all)
  const { total } = JSON.parse((await ask(agent, api, '/api/v1/clients')).text)
  if (total !== players + 1) throw new Error(`${total} clients were listed, and ${players + 1} are connected`)
  agent.destroy()

  const all = [...results.values()].flatMap(({ times }) => times)
  const pages = [...results].flatMap(([path, { times }]) => (path === allClients ? [] : times))
  console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0].model.trim()}`)
  console.log(`${players} players of one stream of ${kbps} kbit/s on 2 stream workers, all on this machine,`)
  console.log(`whose cores were busy for ${busy.toFixed(0)} % of the time\n`)
  console.log('| path | requests | p50 ms | p99 ms | max ms | bytes |')
  console.log('|---|--:|--:|--:|--:|--:|')
  for (const [path, { times, bytes }] of results) console.log(row(`\`${path}\``, times, bytes))
  console.log(row('all but the list of all clients', pages, ''))
  console.log(row('all', all, ''))
  const p99 = percentile(
    all.toSorted((a, b) => a - b),
    0.99,
  )
  console.log(`\np99 ${p99.toFixed(1)} ms, target ${targetMs} ms: ${p99 <= targetMs ? 'met' : 'not met'}`)
}

const timer = setTimeout(() => {
  console.error(`not done after ${deadlineMs} ms`)
  end().finally(() => process.exit(1))
}, deadlineMs)
try {
  await main()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  clearTimeout(timer)
  await end()
}
