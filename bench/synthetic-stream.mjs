// A stream of 2 Mbit/s without an encoder: a key frame each 2 s, frames as large as an encoder's, whose content nobody decodes.
import { RtmpClient } from '../src/client/rtmp-client.ts'
import { audioType, keyFrameFlag, sequenceHeaderFlag, videoType } from '../src/media/packet.ts'

const videoBitsPerSecond = 1_872_000
const audioBitsPerSecond = 128_000
const framesPerSecond = 25
const gopSeconds = 2
/** A key frame is as large as so many others. */
const keyFrameWeight = 8

/** Headers of H.264 main profile and AAC at 44.1 kHz; frames as large as an encoder's, whose content nobody decodes. */
const avcConfig = Buffer.from('014d400cffe10004674d400c01000468ee3c80', 'hex')
const headers = [
  {
    type: videoType,
    flags: sequenceHeaderFlag,
    timestamp: 0,
    body: Buffer.concat([Buffer.of(0x17, 0, 0, 0, 0), avcConfig]),
  },
  { type: audioType, flags: sequenceHeaderFlag, timestamp: 0, body: Buffer.of(0xaf, 0, 0x12, 0x10) },
]

function* stream() {
  const gopFrames = gopSeconds * framesPerSecond
  const gopBytes = (videoBitsPerSecond / 8) * gopSeconds
  const frameBytes = Math.round(gopBytes / (gopFrames - 1 + keyFrameWeight))
  const audioFrameMs = 1024 / 44.1
  const audioBytes = Math.round((audioBitsPerSecond / 8) * (audioFrameMs / 1000))
  let audioMs = 0
  for (let frame = 0; ; frame++) {
    const timestamp = (frame * 1000) / framesPerSecond
    for (; audioMs < timestamp; audioMs += audioFrameMs) {
      yield { type: audioType, flags: 0, timestamp: Math.round(audioMs), body: sound(audioBytes) }
    }
    const isKey = frame % gopFrames === 0
    const size = isKey ? frameBytes * keyFrameWeight : frameBytes
    yield { type: videoType, flags: isKey ? keyFrameFlag : 0, timestamp, body: picture(isKey, size) }
  }
}

function sound(bytes) {
  const body = Buffer.alloc(bytes + 2, 0x21)
  body.writeUInt16BE(0xaf01, 0)
  return body
}

/** One slice behind its length. */
function picture(isKey, bytes) {
  const body = Buffer.alloc(bytes, 0x5a)
  body.writeUIntBE(isKey ? 0x1701 : 0x2701, 0, 2)
  body.writeUIntBE(0, 2, 3)
  body.writeUInt32BE(bytes - 9, 5)
  body[9] = isKey ? 0x65 : 0x41
  return body
}

/**
 * Publishes in real time until it is told to stop.
 * @param url rtmp://HOST/APP/STREAM
 * @returns what stops it
 */
export async function publish(url) {
  const client = await RtmpClient.connect(url)
  await client.publish()
  for (const header of headers) client.send(header)
  const frames = stream()
  const begin = performance.now()
  let next = frames.next().value
  const timer = setInterval(() => {
    for (; next.timestamp <= performance.now() - begin; next = frames.next().value) client.send(next)
  }, 10)
  return () => {
    clearInterval(timer)
    client.close()
  }
}
