import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Command } from './support/command.ts'
import { freePort } from './support/free-port.ts'
import { isRunning, killMarked, markName, processesMarked } from './support/processes.ts'
import { backSourcesOf, type Server, type ServerOptions, startServer, weirBinary } from './support/server.ts'
import { until, within } from './support/until.ts'

const clip = fileURLToPath(new URL('../../demo/weir.flv', import.meta.url))

/** A name that a shell would run and that FFmpeg would take for an option. */
const name = '-f $(touch pwned) a b'

interface Program {
  readonly kind: string
  readonly name: string
  readonly vhost: string
  readonly stream: string
  readonly state: string
  readonly pid: number
  readonly restarts: number
}

interface Stream {
  readonly id: string
  readonly name: string
  readonly publish: { readonly active: boolean }
  readonly video: { readonly width: number } | null
}

async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T
}

async function streamsOf(server: Server): Promise<Stream[]> {
  return (await get<{ streams: Stream[] }>(server.httpUrl('/api/v1/streams?count=100'))).streams
}

/** Those of the default virtual host. */
async function programsOf(server: Server): Promise<Program[]> {
  const { programs } = await get<{ programs: Program[] }>(server.httpUrl('/api/v1/programs'))
  return programs.filter((one) => one.vhost === '__defaultVhost__')
}

/** Waits until a stream is published and its picture is known. */
function published(server: Server, stream: string): Promise<Stream> {
  return until(`${stream} to be published`, async () => {
    return (await streamsOf(server)).find((one) => one.name === stream && one.publish.active && one.video)
  })
}

/** Waits until the one program of a kind and a stream runs, which is none of these processes. */
function running(server: Server, kind: string, stream = '', not: readonly number[] = []): Promise<Program> {
  return until(`the ${kind} of ${stream || 'the server'} to run`, async () => {
    const found = (await programsOf(server)).filter((one) => one.kind === kind && one.stream === stream)
    const [first] = found
    return found.length === 1 && first?.state === 'running' && !not.includes(first.pid) ? first : undefined
  })
}

function gone(what: string, pid: number): Promise<true> {
  return until(`${what} to be gone`, () => !isRunning(pid))
}

function vhost({ vwidth = 64, transcode = 'on', ingest = 'on' } = {}): string {
  return `
    security { enabled on; deny publish all; deny play all; }
    ingest clip {
      enabled ${ingest};
      input { type file; url ${clip}; }
      engine { output "rtmp://127.0.0.1:[port]/live?vhost=[vhost]/${encodeURIComponent(name)}"; }
    }
    transcode {
      enabled ${transcode};
      ffmpeg ./objs/ffmpeg/bin/ffmpeg;
      engine sd {
        enabled on;
        vcodec libx264; vwidth ${vwidth}; vheight 36; vprofile baseline; vpreset ultrafast; acodec copy;
        output rtmp://127.0.0.1:[port]/[app]?vhost=[vhost]/[stream]_[engine];
      }
    }
    exec {
      enabled on;
      publish sh -c 'printf "<%s>" "$@" "$WEIR_STREAM"; echo; exec sleep 600' sh [stream] [app]/[stream] [vhost];
    }`
}

/**
 * A virtual host with inputs that are no files: a capture device, of the kind that FFmpeg has in every build (lavfi), and
 * RTSP, over which something pushes.
 */
function inputs(rtspPort: number): string {
  const output = 'output rtmp://127.0.0.1:[port]/live?vhost=[vhost]/[ingest];'
  return `vhost inputs.test {
    ingest device {
      enabled on;
      input { type stream; url testsrc2=size=64x36:rate=10; }
      engine { enabled on; perfile { re; f lavfi; } vcodec libx264; vpreset ultrafast; acodec an; ${output} }
    }
    ingest camera {
      enabled on;
      input { type stream; url rtsp://127.0.0.1:${rtspPort}/camera; }
      engine { enabled on; perfile { rtsp_flags listen; } vcodec copy; acodec copy; ${output} }
    }
  }`
}

/** Pushes the clip over RTSP as soon as somebody listens. */
async function pushOverRtsp(port: number): Promise<void> {
  const args = `-nostdin -loglevel error -re -stream_loop -1 -i ${clip} -c copy -f rtsp -rtsp_transport tcp`
  // To connect would be to be the one that it listens for.
  const listens = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`
  await until('RTSP to be listened for', () => readFileSync('/proc/net/tcp', 'utf8').includes(listens))
  new Command('ffmpeg', [...args.split(' '), `rtsp://127.0.0.1:${port}/camera`])
}

interface Options {
  readonly changes?: Parameters<typeof vhost>[0]
  readonly more?: string
}

function options({ changes = {}, more = '' }: Options = {}): ServerOptions {
  return { httpWorkers: 1, settings: { ff_log_dir: './log' }, vhost: vhost(changes), more }
}

async function reload(server: Server, changes: Parameters<typeof vhost>[0]): Promise<void> {
  server.configure(options({ changes }))
  await server.reload()
}

test('a file is ingested, transcoded once and given to programs, and no death of a process leaves one behind', async () => {
  const rtspPort = await freePort()
  const server = await startServer(options({ more: inputs(rtspPort) }))
  await pushOverRtsp(rtspPort)
  const { id } = await published(server, name)
  expect((await published(server, `${name}_sd`)).video).toMatchObject({ width: 64 })
  const ingest = await running(server, 'ingest')
  const transcode = await running(server, 'transcode', id)
  const exec = await running(server, 'exec', id)
  expect((await published(server, 'device')).video).toMatchObject({ width: 64 })
  expect((await published(server, 'camera')).video).toMatchObject({ width: 640 })

  // The names are names, and nothing but names.
  const log = join(server.dir, `log/exec-__defaultVhost__-live-${name}-1.log`)
  const told = await until('the program to write', () => existsSync(log) && readFileSync(log, 'utf8').trim())
  expect(told).toBe(`<./${name}><live/${name}><__defaultVhost__><${name}>`)
  expect(existsSync(join(server.dir, 'pwned'))).toBe(false)
  expect(readdirSync(join(server.dir, 'log'))).toContain(
    `ffmpeg-encoder-__defaultVhost__-live-${name}-sd.log`,
  )

  // What a transcode puts out is not transcoded.
  await server.waitForLog({ code: 'TRANSCODE_LOOP', stream: `live/${name}_sd` })
  expect((await programsOf(server)).filter(({ kind }) => kind === 'transcode')).toHaveLength(1)

  // A reload changes, ends and begins what it says, and nothing else.
  await reload(server, { vwidth: 80 })
  const changed = await running(server, 'transcode', id, [transcode.pid])
  expect(isRunning(transcode.pid)).toBe(false)
  await reload(server, { transcode: 'off' })
  await gone('the transcode', changed.pid)
  expect(await running(server, 'ingest')).toMatchObject({ pid: ingest.pid, restarts: 0 })
  expect(await running(server, 'exec', id)).toMatchObject({ pid: exec.pid, restarts: 0 })
  await reload(server, { ingest: 'off' })
  await gone('the ingest', ingest.pid)
  await gone('what runs for its stream', exec.pid)
  await until('the list to be empty', async () => (await programsOf(server)).length === 0)
  await reload(server, {})
  const [ingests, transcodes, execs] = [
    await running(server, 'ingest'),
    await running(server, 'transcode', id),
    await running(server, 'exec', id),
  ]

  // A back-source that is killed takes its programs along; another one starts them again.
  const [backSource] = backSourcesOf(await server.status(), name)
  process.kill(backSource!.pid, 'SIGKILL')
  await gone('the transcode of the dead back-source', transcodes.pid)
  await gone('the program of the dead back-source', execs.pid)
  await running(server, 'transcode', id, [transcodes.pid])
  expect(isRunning(ingests.pid)).toBe(true)

  // So does the master; with the ingest its stream ends, with that what runs for it, and with them the last workers.
  await server.master.kill()
  await gone('the ingest of the dead master', ingests.pid)
  await until('everything to be gone', () => server.processes().length === 0)
})

test('weir demo shows a picture without a configuration, and leaves nothing behind', async () => {
  const [rtmp, api, http] = [await freePort(), await freePort(), await freePort()]
  const mark = `demo-${rtmp}`
  const ports = ['--rtmp-port', rtmp, '--api-port', api, '--http-port', http].map(String)
  const demo = new Command(weirBinary, ['demo', ...ports], { env: { [markName]: mark }, endedByOwner: true })
  onTestFinished(() => killMarked(mark))
  await until('the address of the console', () => demo.stderr.includes(`console   http://127.0.0.1:${api}/`))
  const url = `http://127.0.0.1:${api}/api/v1/streams`
  await until('a picture', async () => {
    const [stream] = (await get<{ streams: Stream[] }>(url)).streams
    return stream?.name === 'livestream' && stream.publish.active && stream.video?.width === 640
  })
  demo.signal('SIGINT')
  const { status } = await within('the demo to end', demo.exited)
  expect(status).toBe(0)
  expect(processesMarked(mark)).toEqual([])
  expect(readdirSync(tmpdir()).filter((entry) => entry.startsWith(`weir-demo-${demo.pid}-`))).toEqual([])
})
