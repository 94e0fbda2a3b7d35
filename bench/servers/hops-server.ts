/**
 * The least that Node can do to give a frame the way that Weir gives it: from the encoder's TCP connection to a worker,
 * over a Unix socket to the process that owns the stream, over another back to the worker, and to the player. Each of
 * them writes what it has read, and does nothing else. What this takes is what the kernel and Node's `net` take to wake
 * three processes one after the other. The player takes the stream as HTTP-FLV; the encoder begins when one is there.
 *
 * Usage: node hops-server.ts worker CLIP ENCODER-CORES PORT…
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeTag, flvHeader } from '../../src/media/flv/writer.ts'
import { readClip } from '../../src/tools/bench/clip.ts'
import { machineMs } from '../../src/tools/bench/machine-clock.ts'
import { writeStamp } from '../../src/tools/bench/stamp.ts'
import { pinned } from '../system/placement.ts'

const [role, ...rest] = process.argv.slice(2)
if (role === 'worker') await work(rest)
else if (role === 'source') relay(rest)
else await encode(rest)

/** Starts the two others, and stands between them and the player. */
async function work([clipPath = '', encoderCores = '', ...ports]: string[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-hops-'))
  const children: ChildProcess[] = []
  const end = (): void => {
    for (const child of children) child.kill()
    rmSync(dir, { recursive: true, force: true })
    process.exit(0)
  }
  process.once('SIGTERM', end)

  const path = join(dir, 'source')
  children.push(start(null, ['source', path]))
  const [toSource, fromSource] = [await connected(path), await connected(path)]

  const encoderPort = await new Promise<number>((resolve) => {
    const server = createServer({ noDelay: true }, (encoder) => {
      encoder.on('error', end).on('data', (bytes) => toSource.write(bytes))
    })
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  const clip = await readClip(clipPath, true)
  const opening = Buffer.concat([
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n'),
    flvHeader({ audio: true, video: true }),
    ...clip.headers.map(({ type, timestamp, body }) => encodeTag(type, timestamp, body)),
  ])
  const take = (player: Socket): void => {
    player.on('error', end)
    player.once('data', () => {
      player.write(opening)
      fromSource.on('data', (bytes) => player.write(bytes))
      children.push(start(encoderCores, ['encoder', clipPath, String(encoderPort)]))
    })
  }
  for (const port of ports) createServer({ noDelay: true }, take).listen(Number(port), '127.0.0.1')
}

/** What comes on the first connection goes to the second. */
function relay([path = '']: string[]): void {
  const sockets: Socket[] = []
  createServer((socket) => {
    if (sockets.push(socket) === 2) sockets[0]!.on('data', (bytes) => socket.write(bytes))
  }).listen(path)
}

/** Sends the clip's frames when they are due, over and over. */
async function encode([clipPath = '', port = '']: string[]): Promise<void> {
  const clip = await readClip(clipPath, true)
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  const beginMs = machineMs()
  let sequence = 0
  for (let roundMs = 0; ; roundMs += clip.durationMs) {
    for (const { packet, stamped } of clip.frames) {
      const timeMs = roundMs + packet.timestamp
      const waitMs = beginMs + timeMs - machineMs()
      if (waitMs > 0) await delay(waitMs)
      if (stamped) writeStamp(packet.body, sequence++, machineMs())
      socket.write(encodeTag(packet.type, timeMs, packet.body))
    }
  }
}

function start(cores: string | null, args: readonly string[]): ChildProcess {
  const [command = '', ...all] = pinned(cores || null, [process.execPath, import.meta.filename, ...args])
  return spawn(command, all, { stdio: 'inherit' })
}

/** A connection to a process that may not listen yet. */
async function connected(path: string): Promise<Socket> {
  for (;;) {
    const socket = connect(path)
    const ready = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (ready) return socket
    await delay(10)
  }
}
