import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { RtmpClient } from '../../client/rtmp-client.ts'
import { loopFlvFile } from './loop.ts'

/** Beyond this the process or the machine was asleep: what was missed is not sent in one burst. */
const maxLateMs = 5000

/**
 * Publishes an FLV file in a loop, each packet when it is due.
 * @param signal ends it in good order
 * @returns when it was ended
 * @throws WeirError FLV_FORMAT, RTMP_REJECTED, RTMP_CLOSED …; the system's error when the file cannot be read
 */
export async function publishFile(path: string, url: string, signal: AbortSignal): Promise<void> {
  const packets = loopFlvFile(path)
  // A file that cannot be read shall not be seen as a stream.
  const first = await packets.next()
  const client = await RtmpClient.connect(url)
  try {
    await client.publish()
    let zeroMs = monotonicMs()
    let lastMs = 0
    for (let packet = first.value; !signal.aborted; packet = (await packets.next()).value) {
      // The times of a stream wrap after 49 days.
      const timeMs = lastMs + ((packet.timestamp - lastMs) | 0)
      lastMs = timeMs
      const lateMs = monotonicMs() - (zeroMs + timeMs)
      if (lateMs > maxLateMs) zeroMs += lateMs
      else if (lateMs < 0) await pause(-lateMs, signal)
      if (signal.aborted) break
      if (!client.send(packet)) await client.drained()
    }
  } finally {
    client.close()
    await packets.return(undefined as never)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
