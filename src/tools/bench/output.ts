/** How a run is shown: as lines of JSON for programs, or as a live line and a table for people. */
import type { Percentiles, PlayResult, PublishResult, Requests, Result } from './result.ts'
import type { Output, Progress } from './run.ts'

type Write = (text: string) => void

/** One JSON object per line, with what it is in `event`. */
export function jsonOutput(write: Write): Output {
  const line = (event: string, fields: object = {}) => write(`${JSON.stringify({ event, ...fields })}\n`)
  return {
    up: (clients, errors) => line('up', { clients, errors }),
    start: () => line('start'),
    progress: ({ clients, mbps }) => line('progress', { clients, mbps }),
    result: (result) => line('result', result),
  }
}

/** @param live whether the output is a terminal, where a line can be written over */
export function textOutput(write: Write, live: boolean): Output {
  const clear = live ? '\r\x1b[K' : ''
  return {
    up: (clients, errors) => write(`${clear}${clients} clients are up, ${errors} failed\n`),
    start: () => {},
    progress: (progress) => {
      if (live) write(`${clear}${progressLine(progress)}`)
    },
    result: (result) => write(`${clear}${table(rows(result))}`),
  }
}

function progressLine({ clients, mbps, errors }: Progress): string {
  return `${clients} clients up, ${mbps.toFixed(1)} Mbit/s, ${errors} errors`
}

type Row = readonly [name: string, value: string]

function rows(result: Result): Row[] {
  const { clients, up, seconds, errors, cpuSeconds } = result
  const causes = Object.entries(errors).map(([code, count]) => `${count} ${code}`)
  const cpuShare = seconds === 0 ? '' : ` (${((cpuSeconds / seconds) * 100).toFixed(0)} % of a core)`
  return [
    ['clients up', `${up} of ${clients}`],
    ['errors', causes.join(', ') || 'none'],
    ['measured', `${seconds.toFixed(1)} s`],
    ...('packets' in result ? publishRows(result) : playRows(result)),
    ['CPU of this tool', `${cpuSeconds.toFixed(2)} s${cpuShare}`],
  ]
}

function playRows(result: PlayResult): Row[] {
  const { mbps, kbpsMin, kbpsMean, shortfall, latencyMs, requests } = result
  return [
    ['received', `${mbps.toFixed(1)} Mbit/s`],
    ['each', `${kbpsMean.toFixed(0)} kbit/s (least ${kbpsMin.toFixed(0)}; ${shortfall} below 95 %)`],
    ['first packet', times(result.firstPacketMs)],
    ['latency', latencyMs === null ? 'the stream has no stamps' : times(latencyMs)],
    ...(requests === null ? [] : requestRows(requests)),
    ['gaps', String(result.gaps)],
    ['times that go back', String(result.timestampErrors)],
    ['broken framing', String(result.framingErrors)],
  ]
}

function requestRows({ playlists, segments, responseMs }: Requests): Row[] {
  return [
    ['requests', `${playlists} playlists, ${segments} segments`],
    ['answered in', times(responseMs)],
  ]
}

function publishRows({ bytes, seconds, packets, late }: PublishResult): Row[] {
  const mbps = seconds === 0 ? 0 : (bytes * 8) / seconds / 1e6
  return [
    ['sent', `${mbps.toFixed(1)} Mbit/s`],
    ['packets', `${packets}, ${late} of them more than 20 ms late`],
  ]
}

function times({ p50, p99, max }: Percentiles): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
}

function table(all: readonly Row[]): string {
  const width = Math.max(...all.map(([name]) => name.length))
  return all.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}
