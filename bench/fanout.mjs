// How much CPU the server takes to deliver one stream to many players, through the full multi-process path.
// Run: npm run bench:fanout -- [players] [seconds] [mw_latency]
// The server runs on core 0 and the load on core 1 when there are two cores and taskset. Figures are CPU-seconds
// per delivered GB, by process role; compare figures of one run only.
import { fork, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [players = 1000, seconds = 10, latency = '350'] = process.argv
  .slice(2)
  .map((text, index) => (index < 2 ? Number(text) : text))

const pinned = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0
const ticksPerSecond = 100

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** CPU-seconds of a process so far, and its resident and proportional memory in MB. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return { cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, pssMb: Number(pss[1]) / 1024 }
}

function statusOf(conf) {
  const { stdout } = spawnSync(join(root, 'bin/weir'), ['-c', conf, 'ctl', 'status', '--json'])
  return JSON.parse(stdout.toString())
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const dir = mkdtempSync(join(tmpdir(), 'weir-bench-'))
const port = await freePort()
const conf = join(dir, 'weir.conf')
writeFileSync(
  conf,
  `listen 127.0.0.1:${port}; daemon off; srs_log_tank file; srs_log_file ${dir}/weir.log; pid ${dir}/pid;
   runtime_dir ${dir}/run; worker_processes 1; max_connections 30000;
   vhost __defaultVhost__ { play { mw_latency ${latency}; } }\n`,
)
const pin = (core, command) =>
  pinned ? ['taskset', ['-c', String(core), ...command]] : [command[0], command.slice(1)]
const server = spawn(...pin(0, [join(root, 'bin/weir'), '-c', conf]), { stdio: 'ignore' })
await wait(2000)
const clip = join(dir, 'clip.flv')
const made = spawnSync(
  'ffmpeg',
  `-v error -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine=frequency=440 -t 20 -c:v libx264 -preset veryfast
   -b:v 436k -minrate 436k -maxrate 436k -bufsize 436k -nal-hrd cbr -g 50 -bf 0 -c:a aac -b:a 64k -f flv ${clip}`.split(
    /\s+/,
  ),
)
if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr ?? made.error}`)
const url = `rtmp://127.0.0.1:${port}/live/bench`
const publisher = spawn(
  ...pin(1, ['ffmpeg', ...`-v error -re -stream_loop -1 -i ${clip} -c copy -f flv ${url}`.split(' ')]),
  { stdio: 'ignore' },
)
const load = fork(new URL('fanout-players.mjs', import.meta.url), [
  String(port),
  'live',
  'bench',
  String(players),
])
if (pinned) spawnSync('taskset', ['-a', '-cp', '1', String(load.pid)])
const reports = []
load.on('message', (report) => reports.push(report))
while (reports.length === 0) await wait(100)
await wait(2000)

const { pid: master, workers } = statusOf(conf)
const roles = [{ role: 'master', pid: master }, ...workers]
const before = roles.map(({ pid }) => usage(pid))
load.send('count')
await wait(seconds * 1000)
const after = roles.map(({ pid }) => usage(pid))
load.send('report')
while (reports.length < 2) await wait(20)
const { bytes, short } = reports[1]
const gigabytes = bytes / 1e9

console.log(
  `${players} players, ${seconds} s, mw_latency ${latency}: ${((bytes * 8) / seconds / 1e6).toFixed(0)} Mbit/s delivered,`,
)
console.log(
  `${((bytes * 8) / seconds / players / 1e3).toFixed(0)} kbit/s a player, ${short} players got less than 95 % of the mean\n`,
)
console.log('| process | CPU s | % of a core | CPU s per GB | PSS MB |\n|---|---|---|---|---|')
let total = 0
roles.forEach(({ role }, index) => {
  const cpu = after[index].cpu - before[index].cpu
  total += cpu
  console.log(
    `| ${role} | ${cpu.toFixed(2)} | ${((cpu / seconds) * 100).toFixed(0)} | ${(cpu / gigabytes).toFixed(2)} | ${after[index].pssMb.toFixed(1)} |`,
  )
})
console.log(
  `| **all** | ${total.toFixed(2)} | ${((total / seconds) * 100).toFixed(0)} | ${(total / gigabytes).toFixed(2)} | |`,
)

load.kill('SIGTERM')
publisher.kill('SIGTERM')
server.kill('SIGTERM')
await new Promise((resolve) => server.once('exit', resolve))
rmSync(dir, { recursive: true, force: true })
process.exit(0)
