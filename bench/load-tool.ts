/** Drives `weir bench play` and `weir bench publish`, which report as one JSON object per line. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { PlayResult, PublishResult } from '../src/tools/bench/result.ts'
import { weirBinary } from './servers/weir.ts'
import { end, start } from './system/child.ts'
import { pinned } from './system/placement.ts'

type ToolEvent<Result> =
  | { event: 'up'; clients: number; errors: number }
  | { event: 'start' }
  | { event: 'progress' }
  | ({ event: 'result' } & Result)

/** A run of the tool. Each promise rejects when the tool ends before it has said that. */
export class LoadRun<Result> {
  /** All clients are up, or have failed: how many have. */
  readonly up: Promise<number>
  /** The measurement begins. */
  readonly started: Promise<void>
  readonly result: Promise<Result>
  readonly #child: ChildProcess

  constructor(args: readonly string[], coreList: string | null) {
    const child = start(pinned(coreList, [weirBinary, 'bench', ...args, '--json']), {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const up = Promise.withResolvers<number>()
    const started = Promise.withResolvers<void>()
    const result = Promise.withResolvers<Result>()
    let complaint = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000)
    })
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      const event = JSON.parse(line) as ToolEvent<Result>
      if (event.event === 'up') up.resolve(event.errors)
      else if (event.event === 'start') started.resolve()
      else if (event.event === 'result') result.resolve(event)
    })
    // Settles what is settled a second time, which does nothing, after an ordinary end.
    child.once('close', (code, signal) => {
      const error = new Error(`weir bench ${args[0]} ended (${signal ?? code}): ${complaint.trim()}`)
      for (const promise of [up, started, result]) promise.reject(error)
    })
    child.once('error', (error) => {
      for (const promise of [up, started, result]) promise.reject(error)
    })
    this.up = up.promise
    this.started = started.promise
    this.result = result.promise
    // Who waits for one of them hears of the failure there.
    for (const promise of [this.up, this.started, this.result]) promise.catch(() => {})
  }

  async stop(): Promise<void> {
    await end(this.#child)
  }
}

export interface PlayOptions {
  readonly url: string
  readonly players: number
  /** Streams that the players spread over, when the URL has `{i}`. */
  readonly streams?: number
  readonly seconds: number
  /** Players that come in a second, at most; the tool's own default without it. */
  readonly ramp?: number
  readonly coreList: string | null
}

export function play(options: PlayOptions): LoadRun<PlayResult> {
  const { url, players, streams, seconds, ramp, coreList } = options
  const spread = streams === undefined ? [] : ['--streams', String(streams)]
  const pace = ramp === undefined ? [] : ['--ramp', String(ramp)]
  const args = ['play', '-c', String(players), '-r', url, '-d', String(seconds), ...spread, ...pace]
  return new LoadRun<PlayResult>(args, coreList)
}

export interface PublishOptions {
  readonly url: string
  readonly streams: number
  /** Path of the FLV file. */
  readonly clip: string
  /** Publishers that come in a second, at most. */
  readonly ramp: number
  readonly coreList: string | null
}

/** Publishes until it is told to finish or stopped. Each video frame carries its number and time. */
export function publish({ url, streams, clip, ramp, coreList }: PublishOptions): LoadRun<PublishResult> {
  return new LoadRun<PublishResult>(
    ['publish', '-c', String(streams), '-r', url, '-i', clip, '--stamp', '--ramp', String(ramp)],
    coreList,
  )
}
