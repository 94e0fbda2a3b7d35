// Measures how soon a viewer can begin with HLS: the time from the encoder's publish until the playlist has a segment and
// that segment is answered, with segments of 2 and of 10 s and a key frame each 2 s.
// Usage: sh scripts/build.sh && node bench/hls-first.mjs [publishes]
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.mjs'
import { publish } from './synthetic-stream.mjs'

const publishes = Number(process.argv[2] ?? 10)
/** Segments of 2 s and 10 s, each in a virtual host of its own. */
const fragments = [2, 10]
/** More than the longest segment may take: then something is wrong. */
const timeoutMs = 20_000
/** How often the playlist is asked for: so much may a figure be too high. */
const askMs = 20
/** Between two publishes: each has the machine nearly for itself when it begins. */
const gapMs = 1130

const dir = mkdtempSync(join(tmpdir(), 'weir-bench-hls-first-'))
const [rtmp, http] = [await freePort(), await freePort()]
const vhost = (fragment) => `vhost of-${fragment} {
  hls { enabled on; hls_path ${dir}/html; hls_fragment ${fragment}; hls_m3u8_file [vhost]/[stream].m3u8;
  hls_ts_file [vhost]/[stream]-[seq].ts; } }`
writeFileSync(
  join(dir, 'weir.conf'),
  `listen 127.0.0.1:${rtmp}; pid ${dir}/weir.pid; runtime_dir ${dir}/run; daemon off; worker_processes 1;
  srs_log_tank file; srs_log_file ${dir}/weir.log;
  http_server { enabled on; listen 127.0.0.1:${http}; dir ${dir}/html; }
  ${fragments.map(vhost).join('\n')}`,
)

/** Publishes a stream until the first segment of its playlist is there. @returns how long that took, in ms */
async function firstSegment(fragment, name) {
  const begin = performance.now()
  const stop = await publish(`rtmp://127.0.0.1:${rtmp}/live?vhost=of-${fragment}/${name}`)
  try {
    const base = `http://127.0.0.1:${http}/of-${fragment}/`
    while (performance.now() - begin < timeoutMs) {
      const playlist = await fetch(`${base}${name}.m3u8`)
      const text = await playlist.text()
      const [segment] = text.match(/^[^#\n].*\.ts.*$/m) ?? []
      if (playlist.ok && segment !== undefined) {
        const answer = await fetch(new URL(segment, base))
        const { byteLength } = await answer.arrayBuffer()
        if (!answer.ok || byteLength === 0) throw new Error(`${segment}: ${answer.status}`)
        return performance.now() - begin
      }
      await delay(askMs)
    }
    throw new Error(`${name}: no segment in ${timeoutMs} ms`)
  } finally {
    stop()
  }
}

const weir = new URL('../bin/weir', import.meta.url).pathname
const master = spawn(weir, ['-c', join(dir, 'weir.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
const exited = new Promise((resolve) => master.once('exit', resolve))
try {
  await new Promise((resolve, reject) => {
    let text = ''
    master.stderr.setEncoding('utf8').on('data', (more) => {
      text += more
      if (text.includes('accepts clients')) resolve()
    })
    master.once('exit', () => reject(new Error(`the server did not start: ${text}`)))
  })
  console.log(`Node ${process.versions.node}, ${cpus()[0].model}, ${publishes} publishes each\n`)
  console.log('| hls_fragment | p50 s | max s | target s | met |\n|--:|--:|--:|--:|---|')
  for (const fragment of fragments) {
    const running = []
    for (let number = 0; number < publishes; number += 1) {
      running.push(firstSegment(fragment, `s${number}`))
      await delay(gapMs)
    }
    const times = (await Promise.all(running)).toSorted((a, b) => a - b)
    const [p50, max] = [times[Math.floor(times.length / 2)], times.at(-1)]
    const target = fragment + 1
    const cells = [fragment, (p50 / 1000).toFixed(2), (max / 1000).toFixed(2), target]
    console.log(`| ${cells.join(' | ')} | ${max <= target * 1000 ? 'yes' : '**no**'} |`)
  }
} finally {
  master.kill('SIGTERM')
  await exited
  rmSync(dir, { recursive: true, force: true })
}
