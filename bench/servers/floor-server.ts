/**
 * The least that Node can do to give a stream to many sockets: every so often it puts the clip's frames since the last
 * time into one buffer, and writes that to each socket. No broadcast, no slow players, no log, no other process. What it
 * costs is what the kernel and Node's `net` cost by themselves. Players take it as HTTP-FLV.
 *
 * Usage: node floor-server.ts CLIP INTERVAL-MS PORT…
 */
import { createServer, type Socket } from 'node:net'
import { encodeTag, flvHeader } from '../../src/media/flv/writer.ts'
import { readClip } from '../../src/tools/bench/clip.ts'
import { machineMs } from '../../src/tools/bench/machine-clock.ts'
import { writeStamp } from '../../src/tools/bench/stamp.ts'

const [path, intervalMs, ...ports] = process.argv.slice(2)
const clip = await readClip(path!, true)
const opening = Buffer.concat([
  Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n'),
  flvHeader({ audio: true, video: true }),
  ...clip.headers.map(({ type, timestamp, body }) => encodeTag(type, timestamp, body)),
])

const sockets = new Set<Socket>()

function take(socket: Socket): void {
  socket.once('data', () => {
    socket.write(opening)
    sockets.add(socket)
  })
  socket.on('error', () => {})
  socket.on('close', () => sockets.delete(socket))
}

for (const port of ports) createServer({ noDelay: true }, take).listen(Number(port), '127.0.0.1')

const epochMs = machineMs()
let roundMs = 0
let frame = 0
let sequence = 0

/** All frames that are due, each with the time at which it was. */
function nextBatch(): Buffer {
  const nowMs = machineMs() - epochMs
  const tags: Buffer[] = []
  for (;;) {
    const { packet, stamped } = clip.frames[frame]!
    const timeMs = roundMs + packet.timestamp
    if (timeMs > nowMs) return Buffer.concat(tags)
    if (stamped) writeStamp(packet.body, sequence++, epochMs + timeMs)
    tags.push(encodeTag(packet.type, timeMs, packet.body))
    frame += 1
    if (frame < clip.frames.length) continue
    frame = 0
    roundMs += clip.durationMs
  }
}

setInterval(() => {
  const batch = nextBatch()
  for (const socket of sockets) socket.write(batch)
}, Number(intervalMs))

process.once('SIGTERM', () => process.exit(0))
