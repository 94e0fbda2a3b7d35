import { describe, expect, test } from 'vitest'
import { isTagAlive } from '../../src/base/process-tag.ts'
import {
  alternative,
  isRecordingName,
  newUnfinishedPath,
  parseUnfinished,
  RecordingNames,
  withoutNumber,
} from '../../src/recordings/names.ts'

const timeMs = Date.UTC(2026, 10, 24, 13, 5, 9, 42)

function namesOf(path: string, stream = 'show', app = 'live') {
  return new RecordingNames({ vhost: 'v', app, stream, path, utc: true })
}

describe('a recording', () => {
  test.each([
    ['./html/[app]/[stream].[timestamp].flv', `html/live/show.${timeMs}.flv`],
    ['/data/[vhost]/[2006]/[01]/[02]/[15]-[04]-[05].[999].mp4', '/data/v/2026/11/24/13-05-09.042.mp4'],
    ['rec/fixed.flv', 'rec/fixed.flv'],
    // As in SRS: a directory.
    ['./html', `html/show.${timeMs}.flv`],
    ['/data/[app]/', `/data/live/show.${timeMs}.flv`],
  ])('by %s is %s', (path, file) => {
    expect(namesOf(path).at(timeMs)).toBe(file)
  })

  test.each(['./html/[app]/../x.flv', './html/[stream]/../../x.flv', '/[app]/[stream].flv/'])(
    'by %s is nowhere',
    (path) => {
      if (path.endsWith('/')) expect(namesOf(path).root).toBe('/')
      else expect(() => namesOf(path)).toThrow(expect.objectContaining({ code: 'PATH_TEMPLATE' }))
    },
  )

  test('never leaves its directory, whatever its stream is called', () => {
    for (const name of ['..', 'a\\b', '../../etc/x', 'a\u0000b']) {
      expect(() => namesOf('/data/[app]/[stream]/x.flv', name)).toThrow(
        expect.objectContaining({ code: 'PATH_TEMPLATE' }),
      )
    }
    expect(namesOf('/data/[app]/[stream].flv', '[app]').at(0)).toBe('/data/live/[app].flv')
    expect(namesOf('../up/[stream].flv').at(0)).toBe('../up/show.flv')
  })

  test('of a stream is known by its path, at any time or at one', () => {
    const names = namesOf('/data/[app]/[2006]/[stream]-[timestamp].flv', 'a.b', 'x/y')
    expect(names.root).toBe('/data')
    expect(names.patterns(null).map(({ source }) => source)).toEqual([
      '^x$',
      '^y$',
      '^\\d+$',
      '^a\\.b-\\d+\\.flv$',
    ])
    expect(names.patterns(timeMs).map(({ source }) => source)).toEqual([
      '^x$',
      '^y$',
      '^2026$',
      '^a\\.b-\\d+\\.flv$',
    ])
  })
})

test('a file that is written is known for one of this process', () => {
  const [first, second] = [newUnfinishedPath('/d/show.flv'), newUnfinishedPath('/d/show.flv')]
  expect(first).not.toBe(second)
  const { name, tag } = parseUnfinished(first)!
  expect(name).toBe('/d/show.flv')
  expect(isTagAlive(tag)).toBe(true)
  expect([first, name].map(isRecordingName)).toEqual([false, true])
})

test('names that are taken get numbers', () => {
  expect([0, 1, 12].map((number) => alternative('/d/a.b.mp4', number))).toEqual([
    '/d/a.b.mp4',
    '/d/a.b-1.mp4',
    '/d/a.b-12.mp4',
  ])
  expect(withoutNumber('a.b-12.mp4')).toBe('a.b.mp4')
  expect(withoutNumber('a.b.mp4')).toBe('a.b.mp4')
})
