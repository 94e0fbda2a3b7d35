import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expandPath, expandTemplate, type TemplateValues } from '../../src/media/path-template.ts'

const values: TemplateValues = {
  vhost: 'a.example',
  app: 'live/hd',
  stream: 'show',
  seq: 7,
  duration: 9960,
  timestamp: 1_700_000_000_123,
  time: new Date('2023-11-14T22:13:20.007Z'),
  utc: true,
}

describe.each([
  ['[app]/[stream].m3u8', 'live/hd/show.m3u8'],
  ['[vhost]/[app]/[stream]-[seq].ts', 'a.example/live/hd/show-7.ts'],
  ['[stream]-[timestamp]-[duration].ts', 'show-1700000000123-9960.ts'],
  ['[2006]/[01]/[02]/[15].[04].[05].[999].ts', '2023/11/14/22.13.20.007.ts'],
  ['[seq][seq]', '77'],
  ['[unknown] [seq', '[unknown] [seq'],
  ['', ''],
])('%s', (template, expected) => {
  test('is expanded', () => {
    expect(expandTemplate(template, values)).toBe(expected)
  })
})

test('a variable without a value stays as it is written', () => {
  const { vhost, app, stream } = values
  expect(expandTemplate('[stream]-[seq]-[2006].ts', { vhost, app, stream })).toBe('show-[seq]-[2006].ts')
})

test('what a name holds is not replaced again', () => {
  expect(expandTemplate('[app]/[stream]', { vhost: 'v', app: '[stream]', stream: '[app]$&' })).toBe(
    '[stream]/[app]$&',
  )
})

test('local time is that of the machine', () => {
  const time = new Date(2024, 1, 3, 4, 5, 6)
  expect(expandTemplate('[2006]-[01]-[02] [15]:[04]:[05]', { ...values, time, utc: false })).toBe(
    '2024-02-03 04:05:06',
  )
})

describe('a path', () => {
  test.each([
    ['[app]/[stream].ts', 'live/hd/show.ts'],
    ['./[app]//[stream].ts', 'live/hd/show.ts'],
    ['...', '...'],
  ])('%s is below its directory', (template, path) => {
    expect(expandPath(template, values)).toBe(path)
  })

  test.each([
    ['/[app]/[stream]', values],
    ['../[stream]', values],
    ['[app]/../[stream]', values],
    ['[app]/', values],
    ['.', values],
    ['', values],
    ['[stream].ts', { ...values, stream: '../../etc/passwd' }],
    ['[stream]', { ...values, stream: '/etc/passwd' }],
    ['.[stream]', { ...values, stream: '.' }],
    ['[stream].ts', { ...values, stream: 'a\u0000b' }],
    ['[stream].ts', { ...values, stream: 'a\\b' }],
  ])('%s leaves it, or is none (%#)', (template, given) => {
    expect(() => expandPath(template, given)).toThrow(expect.objectContaining({ code: 'PATH_TEMPLATE' }))
  })

  test('never leaves its directory, whatever the names are', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('..', '.', '/', 'a/../..', '../b'))
    fc.assert(
      fc.property(name, name, name, (vhost, app, stream) => {
        let path: string
        try {
          path = expandPath('[vhost]/[app]/[stream].ts', { vhost, app, stream })
        } catch (error) {
          expect(error).toMatchObject({ code: 'PATH_TEMPLATE' })
          return
        }
        expect(path.startsWith('/')).toBe(false)
        expect(path.split('/')).not.toContain('..')
      }),
    )
  })
})
