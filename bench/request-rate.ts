/** Asks for one thing as often as a server answers, with wrk. */

import type { ChildProcess } from 'node:child_process'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { start } from './system/child.ts'
import { pinned } from './system/placement.ts'

const connections = 64

export function hasWrk(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined
}

export interface RequestRate {
  readonly perSecond: number
  /** Answers other than 2xx and 3xx, and connections that failed. */
  readonly errors: number
}

/** @throws Error when wrk does not run, or reports nothing */
export async function requestRate(
  url: string,
  seconds: number,
  coreList: string | null,
): Promise<RequestRate> {
  const command = ['wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, url]
  const child: ChildProcess = start(pinned(coreList, command), { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  ;(child.stdout as Readable).setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  await once(child, 'close')
  const [, perSecond] = /^Requests\/sec:\s+([\d.]+)$/m.exec(text) ?? []
  if (perSecond === undefined) throw new Error(`wrk reports no rate: ${text}`)
  const [, ...socketErrors] = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? []
  const [, badAnswers = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(text) ?? []
  const errors = [...socketErrors, badAnswers].reduce((sum, count) => sum + Number(count), 0)
  return { perSecond: Number(perSecond), errors }
}
