import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { processTag } from '../../../src/base/process-tag.ts'
import type { RecordingData } from '../../../src/http/api/schema/recordings.ts'
import type { RecordingFacts } from '../../../src/media/dvr/facts.ts'
import { encodeFlvHead, flvHeadBody } from '../../../src/media/dvr/flv-head.ts'
import { deadPid } from '../../support/processes.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { startApi } from './fake-host.ts'

/** The bytes of a recording: a head, and something behind it. */
function recording(facts: Partial<RecordingFacts>): Buffer {
  const all = {
    ...{ vhost: 'v', app: 'live', stream: 'one', startedAtMs: 1_700_000_000_000, durationMs: 5000 },
    ...{ video: 'H264', audio: 'AAC', ...facts },
  }
  const head = { facts: all, members: new Map(), fileBytes: 0, points: [] }
  return Buffer.concat([encodeFlvHead(head, flvHeadBody(head, 0)), Buffer.alloc(500)])
}

interface List {
  readonly code: number
  readonly recordings: readonly RecordingData[]
  readonly total: number
  readonly complete: boolean
}

async function setUp() {
  const dir = tempDir()
  const html = `http_server { enabled on; dir ${dir}/html; }`
  const vhost = (name: string, path: string, enabled = 'on'): string =>
    `vhost ${name} { dvr { enabled ${enabled}; dvr_path ${dir}/${path}; } }`
  const { request } = await startApi(
    [
      html,
      vhost('v', 'html/[app]/[stream].flv'),
      // Within the first one's directory: looked through once.
      vhost('w', 'html/live/[stream].flv'),
      vhost('x', 'archive/[app]/[stream].flv'),
      vhost('off', 'not-looked-at/[stream].flv', 'off'),
    ].join('\n'),
  )
  return {
    write(name: string, bytes: Buffer | string, mtimeMs?: number): string {
      const path = join(dir, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, bytes)
      if (mtimeMs !== undefined) utimesSync(path, mtimeMs / 1000, mtimeMs / 1000)
      return path
    },
    list: async (query = ''): Promise<List> => {
      return (await (await request(`/api/v1/recordings${query}`)).json()) as List
    },
  }
}

test('recordings are listed with what they say of themselves, the newest first', async () => {
  const { write, list } = await setUp()
  const old = write('html/live/one.flv', recording({}))
  const archived = write(
    'archive/a/two.flv',
    recording({ vhost: 'x', app: 'a', stream: 'two', startedAtMs: 2e12 }),
  )
  const spaced = write('html/live/a b.flv', recording({ stream: 'a b', startedAtMs: 1.8e12, audio: null }))
  write('html/live/mine.flv', 'FLV of somebody else')
  write('not-looked-at/three.flv', recording({}))
  write('html/live/notes.txt', recording({}))
  const { recordings, total, complete, code } = await list()
  expect({ code, total, complete }).toEqual({ code: 0, total: 3, complete: true })
  expect(recordings.map(({ file, url }) => [file, url])).toEqual([
    [archived, null],
    [spaced, '/live/a%20b.flv'],
    [old, '/live/one.flv'],
  ])
  expect(recordings[2]).toEqual({
    ...{ vhost: 'v', app: 'live', stream: 'one', file: old, url: '/live/one.flv', state: 'finished' },
    ...{ bytes: recording({}).length, video: 'H264', audio: 'AAC', duration: 5, started: 1_700_000_000_000 },
  })
})

test('those that are written, and those whose process is gone, are told from the others', async () => {
  const { write, list } = await setUp()
  const beginMs = 1_700_000_000_000
  const unfinished = recording({ durationMs: 0 })
  const mine = write(`html/live/one.flv.${processTag(process.pid)}.1.tmp`, unfinished, beginMs + 7000)
  write(`html/live/two.flv.${await deadPid()}.1.tmp`, unfinished, beginMs + 9000)
  const { recordings } = await list()
  expect(recordings).toMatchObject([
    { file: mine.replace(/\.flv\..*/, '.flv'), state: 'recording', url: null, duration: 7 },
    { file: expect.stringMatching(/two\.flv$/), state: 'left', url: null, duration: 9 },
  ])
})

test('a list comes in pages, and by stream', async () => {
  const { write, list } = await setUp()
  for (let n = 0; n < 30; n += 1) {
    const facts = { stream: n % 3 === 0 ? 'third' : 'other', app: n < 15 ? 'a' : 'b', startedAtMs: 1e12 + n }
    write(`html/live/${n}.flv`, recording(facts))
  }
  const starts = ({ recordings }: List): number[] => recordings.map(({ started }) => started - 1e12)
  expect(await list()).toMatchObject({ total: 30 })
  expect(starts(await list('?start=5&count=3'))).toEqual([24, 23, 22])
  expect(await list('?stream=third')).toMatchObject({ total: 10 })
  expect(starts(await list('?stream=third&app=a&vhost=v'))).toEqual([12, 9, 6, 3, 0])
  expect(await list('?vhost=nobody')).toMatchObject({ code: 0, recordings: [], total: 0 })
})

test('what comes, changes and goes is in the list a moment later', async () => {
  let aheadMs = 0
  const now = performance.now.bind(performance)
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
  try {
    const { write, list } = await setUp()
    const path = write('html/live/one.flv', recording({}))
    expect((await list()).total).toBe(1)
    write('html/live/two.flv', recording({ stream: 'two', startedAtMs: 1 }))
    // The list is taken for right for a moment.
    expect((await list()).total).toBe(1)
    aheadMs += 2000
    expect((await list()).total).toBe(2)
    write('html/live/one.flv', Buffer.concat([recording({ durationMs: 9000 }), Buffer.alloc(10)]))
    aheadMs += 2000
    expect((await list()).recordings[0]).toMatchObject({ duration: 9 })
    rmSync(path)
    aheadMs += 2000
    expect((await list()).recordings.map(({ stream }) => stream)).toEqual(['two'])
  } finally {
    spy.mockRestore()
  }
})
