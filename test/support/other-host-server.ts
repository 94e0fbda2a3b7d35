/**
 * A program: an RTMP server that gives who plays a frame each 20 ms, and takes what is published. It prints its port, and then
 * how much has come of what is published. It ends with its input.
 */
import { TinyServer } from '../client/tiny-server.ts'
import { keyFrame } from './packets.ts'

const server = new TinyServer(({ handler, session, socket }) => {
  handler.onPlay = ({ streamId }) => {
    session.acceptPlay(streamId)
    let sent = 0
    const timer = setInterval(() => {
      session.sendPacket(streamId, keyFrame(20 * sent))
      sent += 1
    }, 20)
    socket.once('close', () => clearInterval(timer))
  }
  handler.onPublish = ({ streamId }) => {
    session.acceptPublish(streamId)
    const before = socket.bytesRead
    socket.on('data', () => console.log(socket.bytesRead - before))
  }
})
const url = await server.listen('0.0.0.0')
console.log(url.replace(/^.*:/, ''))
process.stdin.resume().once('end', () => process.exit())
