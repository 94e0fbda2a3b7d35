// Measures the RTMP wire on one core: how fast messages are chunked and put together again.
// Usage: sh scripts/build.sh && node bench/wire.mjs
import { ChunkReader } from '../src/rtmp/chunk-reader.ts'
import { videoChunkStream, wireSize, writeMessage } from '../src/rtmp/chunk-writer.ts'
import { encodeSetChunkSize } from '../src/rtmp/control.ts'

/** How long each figure is measured, after half of it to warm up. */
const measureMs = 800
/** Bytes per push: what a socket hands over at most. */
const readSize = 65536
/** Body bytes that are written and read per round. */
const roundSize = 8 * 1024 * 1024
const limits = { maxMessageSize: 8 << 20, maxPartialBytes: 16 << 20, maxChunkStreams: 64 }

const videoType = 9
const streamId = 1

function writeRound(target, body, count, chunkSize) {
  let at = 0
  for (let i = 0; i < count; i++) {
    at = writeMessage(target, at, videoChunkStream, videoType, streamId, i, body, 0, body.length, chunkSize)
  }
  return at
}

function readRound(reader, wire) {
  for (let at = 0; at < wire.length; at += readSize) reader.push(wire.subarray(at, at + readSize))
}

/** Repeats a round for the time of the measurement; returns seconds per round. */
function measure(round) {
  const run = (ms) => {
    const start = performance.now()
    let rounds = 0
    while (performance.now() - start < ms) {
      round()
      rounds++
    }
    return (performance.now() - start) / 1000 / rounds
  }
  run(measureMs / 2)
  return run(measureMs)
}

const cells = (seconds, bytes, messages) =>
  `${Math.round(bytes / seconds / 1e6)} | ${Math.round(messages / seconds).toLocaleString('en')}`

console.log(`Node ${process.versions.node}, ${process.arch}, one core\n`)
console.log('| message | chunk size | reader MB/s | reader messages/s | writer MB/s | writer messages/s |')
console.log('|--:|--:|--:|--:|--:|--:|')
for (const messageSize of [1024, 10240]) {
  for (const chunkSize of [128, 4096, 60000]) {
    const body = Buffer.alloc(messageSize, 0x5a)
    const count = Math.floor(roundSize / messageSize)
    const wire = Buffer.alloc(count * wireSize(videoChunkStream, messageSize, 0, chunkSize))
    const writing = measure(() => writeRound(wire, body, count, chunkSize))

    let received = 0
    const reader = new ChunkReader(limits, (message) => {
      received += message.body.length
    })
    reader.push(encodeSetChunkSize(chunkSize, 128))
    let rounds = 0
    const reading = measure(() => {
      readRound(reader, wire)
      rounds++
    })
    if (received !== rounds * count * messageSize) throw new Error('messages are missing')

    const bytes = count * messageSize
    console.log(
      `| ${messageSize} | ${chunkSize} | ${cells(reading, bytes, count)} | ${cells(writing, bytes, count)} |`,
    )
  }
}
