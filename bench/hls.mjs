// Measures what HLS costs a back-source: the same 2 Mbit/s stream is published twice at the same time, to a virtual
// host with HLS and to one without, and the CPU of the two back-sources compared. Then the segments are read as a web
// server would, to see whether they come from the disk. Linux only.
// Usage: sh scripts/build.sh && node bench/hls.mjs [seconds]
import { spawn } from 'node:child_process'
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.mjs'
import { publish } from './synthetic-stream.mjs'

const seconds = Number(process.argv[2] ?? 60)
/** The time until a process has warmed up is not counted. */
const warmUpSeconds = 10

const fragmentSeconds = 4
const ticksPerSecond = 100
const programs = { hls: 'with-hls', plain: 'without-hls' }

/** The pid of the back-source that holds a stream: its title says it. */
function backSourceOf(name, master) {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      const parent = Number(statOf(pid)[1])
      if (title.startsWith('weir: back-source') && title.includes(name) && parent === master)
        return Number(pid)
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    }
  }
  throw new Error(`no back-source has ${name}`)
}

/** Fields of /proc/PID/stat behind the name, which may hold anything. */
function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function cpuSeconds(pid) {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function pssMegabytes(pid) {
  const kilobytes = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]
  return (Number(kilobytes) / 1024).toFixed(1)
}

/** Bytes that this process has had read from the disk. */
function bytesFromDisk() {
  return Number(/^read_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))[1])
}

/** Reads all segments into one buffer, again and again; a web server's sendfile copies as much. */
function readSegments(dir) {
  const files = readdirSync(dir).filter((name) => name.endsWith('.ts'))
  const buffer = Buffer.alloc(64 * 1024)
  const fromDisk = bytesFromDisk()
  const begin = performance.now()
  let bytes = 0
  while (performance.now() - begin < 2000) {
    for (const name of files) {
      const file = openSync(join(dir, name))
      const { size } = fstatSync(file)
      for (let at = 0; at < size; at += buffer.length) bytes += readSync(file, buffer, 0, buffer.length, at)
      closeSync(file)
    }
  }
  const speed = bytes / 1e6 / ((performance.now() - begin) / 1000)
  console.log(
    `\n${files.length} segments read again and again: ${Math.round(speed)} MB/s, ${bytesFromDisk() - fromDisk} bytes of it from the disk`,
  )
}

const dir = mkdtempSync(join(tmpdir(), 'weir-bench-hls-'))
const port = await freePort()
const hls = `hls { enabled on; hls_path ${dir}/html; hls_fragment ${fragmentSeconds}; }`
writeFileSync(
  join(dir, 'weir.conf'),
  `listen 127.0.0.1:${port}; pid ${dir}/weir.pid; runtime_dir ${dir}/run; daemon off; worker_processes 1;
  srs_log_tank file; srs_log_file ${dir}/weir.log;
  vhost ${programs.hls} { ${hls} } vhost ${programs.plain} { }`,
)
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
  const names = Object.values(programs)
  const stops = []
  for (const name of names) stops.push(await publish(`rtmp://127.0.0.1:${port}/live?vhost=${name}/show`))
  await delay(warmUpSeconds * 1000)
  const pids = names.map((name) => backSourceOf(name, master.pid))
  const before = pids.map(cpuSeconds)
  await delay(seconds * 1000)
  const used = pids.map((pid, index) => cpuSeconds(pid) - before[index])
  const share = (cpu) => `${((100 * cpu) / seconds).toFixed(2)} %`
  console.log(
    `Node ${process.versions.node}, ${cpus()[0].model}, ${seconds} s, 2 Mbit/s, segments of ${fragmentSeconds} s\n`,
  )
  console.log('| back-source | CPU of a core | PSS |\n|---|--:|--:|')
  console.log(`| without HLS | ${share(used[1])} | ${pssMegabytes(pids[1])} MB |`)
  console.log(`| with HLS | ${share(used[0])} | ${pssMegabytes(pids[0])} MB |`)
  console.log(`| HLS alone | ${share(used[0] - used[1])} | |`)
  for (const stop of stops) stop()
  readSegments(join(dir, 'html/live'))
} finally {
  master.kill('SIGTERM')
  await exited
  rmSync(dir, { recursive: true, force: true })
}
