// Many RTMP players in one process, as cheap as they can be: they handshake, play, and count bytes.
import { connect } from 'node:net'
import { amfObject } from '../dist/media/amf-value.js'
import { encodeAmf0 } from '../dist/media/amf0-writer.js'
import { encodeMessage } from '../dist/rtmp/chunk-writer.js'

const [port, app, stream, count] = process.argv.slice(2)
const tcUrl = `rtmp://127.0.0.1:${port}/${app}`
const command = (streamId, ...values) =>
  encodeMessage({ chunkStreamId: 3, type: 20, streamId, timestamp: 0 }, encodeAmf0(...values), 128)
const hello = Buffer.concat([
  command(0, 'connect', 1, amfObject({ app, tcUrl })),
  command(0, 'createStream', 2, null),
  command(1, 'play', 3, null, stream),
])
const c0c1 = Buffer.alloc(1537, 0)
c0c1[0] = 3

const sinks = []
let playing = 0

function play() {
  const sink = { bytes: 0, started: false }
  sinks.push(sink)
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    onread: {
      buffer: shared,
      callback: (size) => {
        sink.bytes += size
        if (!sink.started && sink.bytes >= 3073) {
          sink.started = true
          playing += 1
          socket.write(Buffer.concat([Buffer.alloc(1536), hello]))
          if (playing === Number(count)) process.send({ playing })
        }
        return true
      },
    },
  })
  socket.write(c0c1)
  socket.on('error', (error) => {
    console.error(`player: ${error.message}`)
    process.exit(1)
  })
}
const shared = Buffer.alloc(256 * 1024)

// No connect storm: 20 at a time, the next when those are playing.
for (let started = 0; started < Number(count); ) {
  const next = Math.min(started + 20, Number(count))
  while (started < next) {
    play()
    started += 1
  }
  while (playing < started) await new Promise((resolve) => setTimeout(resolve, 2))
}

process.on('message', (message) => {
  if (message === 'count') for (const sink of sinks) sink.bytes = 0
  else {
    const bytes = sinks.reduce((sum, sink) => sum + sink.bytes, 0)
    const short = sinks.filter((sink) => sink.bytes < (bytes / sinks.length) * 0.95).length
    process.send({ bytes, short })
  }
})
