import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ExpiredSegment, PlaylistSegment } from '../../../src/media/hls/playlist.ts'
import { PlaylistWindow, type WindowOptions } from '../../../src/media/hls/window.ts'

const options: WindowOptions = { windowMs: 40_000, targetDuration: 15, cleanup: true }

function segment(seq: number, durationMs = 10_000, discontinuity = false): PlaylistSegment {
  return { uri: `${seq}.ts`, durationMs, discontinuity, key: null }
}

/** Adds segments of 10 s and tells what may be deleted after each. */
function fill(window: PlaylistWindow, count: number): string[][] {
  return Array.from({ length: count }, () => window.add(segment(window.nextSequence)).map(({ uri }) => uri))
}

const listed = (window: PlaylistWindow): string[] => window.playlist.segments.map(({ uri }) => uri)

test('holds the window, and lets go of what has been out of it as long', () => {
  const window = new PlaylistWindow(options, null)
  expect(fill(window, 4).flat()).toEqual([])
  expect(listed(window)).toEqual(['0.ts', '1.ts', '2.ts', '3.ts'])
  expect(fill(window, 6)).toEqual([[], [], [], [], ['0.ts'], ['1.ts']])
  expect(listed(window)).toEqual(['6.ts', '7.ts', '8.ts', '9.ts'])
  expect(window.playlist).toMatchObject({ mediaSequence: 6, discontinuitySequence: 0 })
  expect(window.playlist.expired.map(({ uri }) => uri)).toEqual(['2.ts', '3.ts', '4.ts', '5.ts'])
})

test('is never shorter than three segments', () => {
  const window = new PlaylistWindow({ ...options, windowMs: 5000 }, null)
  fill(window, 10)
  expect(listed(window)).toEqual(['7.ts', '8.ts', '9.ts'])
})

test('deletes nothing without cleanup', () => {
  const window = new PlaylistWindow({ ...options, cleanup: false }, null)
  expect(fill(window, 20).flat()).toEqual([])
  expect(window.playlist).toMatchObject({ mediaSequence: 16, expired: [] })
})

describe('the target duration', () => {
  test('is raised by a longer segment, and stays there', () => {
    const window = new PlaylistWindow(options, null)
    expect(window.playlist.targetDuration).toBe(15)
    window.add(segment(0, 20_001))
    fill(window, 20)
    expect(window.playlist.targetDuration).toBe(21)
  })

  test('follows changed settings', () => {
    const window = new PlaylistWindow(options, null)
    fill(window, 3)
    window.options = { ...options, targetDuration: 3 }
    expect(window.playlist.targetDuration).toBe(10)
  })

  test('is 1 at least', () => {
    expect(new PlaylistWindow({ ...options, targetDuration: 0.2 }, null).playlist.targetDuration).toBe(1)
  })
})

describe('discontinuities', () => {
  test('are counted when they leave', () => {
    const window = new PlaylistWindow(options, null)
    for (const seq of [0, 1, 2, 3, 4, 5]) window.add(segment(seq, 10_000, seq === 1))
    expect(window.playlist).toMatchObject({ mediaSequence: 2, discontinuitySequence: 1 })
  })

  test('there is none before the first segment of all', () => {
    const window = new PlaylistWindow(options, null)
    window.add(segment(0, 10_000, true))
    expect(window.playlist.segments[0]?.discontinuity).toBe(false)
  })
})

test('goes on where another one ended', () => {
  const first = new PlaylistWindow(options, null)
  fill(first, 6)
  const second = new PlaylistWindow({ ...options, targetDuration: 3 }, first.playlist)
  expect(second.nextSequence).toBe(6)
  expect(second.playlist.targetDuration).toBe(10)
  second.add(segment(6, 10_000, true))
  expect(listed(second)).toEqual(['3.ts', '4.ts', '5.ts', '6.ts'])
  expect(second.playlist.segments.at(-1)?.discontinuity).toBe(true)
  expect(second.playlist.expired.map(({ uri }) => uri)).toEqual(['0.ts', '1.ts', '2.ts'])
})

test('gives everything up, but not its numbers', () => {
  const window = new PlaylistWindow(options, null)
  fill(window, 5)
  expect(window.clear().map(({ uri }) => uri)).toEqual(['0.ts', '1.ts', '2.ts', '3.ts', '4.ts'])
  expect(listed(window)).toEqual([])
  window.add(segment(5, 10_000, true))
  expect(window.playlist).toMatchObject({
    mediaSequence: 5,
    segments: [{ uri: '5.ts', discontinuity: true }],
  })
})

test('each segment is listed once, in order, and deleted once, never while it is listed', () => {
  const added = fc.record({ durationMs: fc.integer({ min: 1, max: 30_000 }), discontinuity: fc.boolean() })
  fc.assert(
    fc.property(fc.array(added, { maxLength: 60 }), fc.nat(60_000), (list, windowMs) => {
      const window = new PlaylistWindow({ windowMs, targetDuration: 1, cleanup: true }, null)
      const dead: ExpiredSegment[] = []
      let discontinuities = 0
      for (const [seq, { durationMs, discontinuity }] of list.entries()) {
        if (discontinuity && seq > 0) discontinuities += 1
        dead.push(...window.add(segment(seq, durationMs, discontinuity)))
        const { segments, expired, mediaSequence, discontinuitySequence, targetDuration } = window.playlist
        const order = [...dead, ...expired, ...segments].map(({ uri }) => uri)
        expect(order).toEqual(Array.from({ length: seq + 1 }, (_, index) => `${index}.ts`))
        expect(mediaSequence).toBe(seq + 1 - segments.length)
        expect(discontinuitySequence + segments.filter((one) => one.discontinuity).length).toBe(
          discontinuities,
        )
        const total = segments.reduce((sum, one) => sum + one.durationMs, 0)
        expect(total >= windowMs || mediaSequence === 0 || segments.length === 3).toBe(true)
        for (const one of segments)
          expect(Math.round(one.durationMs / 1000)).toBeLessThanOrEqual(targetDuration)
      }
    }),
  )
})

test('where numbers are missing what was before leaves it, and is deleted in its time', () => {
  const window = new PlaylistWindow(options, null)
  expect(window.add(segment(100), 100)).toEqual([])
  fill(window, 2)
  expect(window.playlist).toMatchObject({ mediaSequence: 100, discontinuitySequence: 0 })
  expect(listed(window)).toEqual(['100.ts', '101.ts', '102.ts'])
  expect(window.add(segment(110, 10_000, true), 110)).toEqual([])
  expect(window.playlist).toMatchObject({ mediaSequence: 110, discontinuitySequence: 0 })
  expect(listed(window)).toEqual(['110.ts'])
  expect(window.playlist.segments[0]!.discontinuity).toBe(true)
  expect(window.playlist.expired.map(({ uri }) => uri)).toEqual(['100.ts', '101.ts', '102.ts'])
  expect(fill(window, 6).flat()).toEqual(['100.ts', '101.ts'])
  expect(window.playlist).toMatchObject({ mediaSequence: 113, discontinuitySequence: 1 })
})
