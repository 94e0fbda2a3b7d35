import { describe, expect, test } from 'vitest'
import { readReply } from '../../src/hooks/hook-reply.ts'

describe('an answer', () => {
  test.each<[number, string, string]>([
    [200, '0', 'yes'],
    [201, '0', 'yes'],
    [200, '{"code":0}', 'yes'],
    [201, ' { "code": 0, "data": null }\n', 'yes'],
    [200, '{"code":1}', 'no'],
    [200, '{"code":"0"}', 'no'],
    [200, '{"code":null}', 'no'],
    [200, '{"code":0.5}', 'no'],
    [200, '1', 'no'],
    [200, '-1', 'no'],
    [401, '0', 'no'],
    [403, '{"code":0}', 'no'],
    [200, '', 'error'],
    [200, '00', 'error'],
    [200, '0\n', 'error'],
    [200, ' 0', 'error'],
    [200, '"0"', 'error'],
    [200, 'null', 'error'],
    [200, '[]', 'error'],
    [200, '{}', 'error'],
    [200, '{"code":0', 'error'],
    [200, '<html>', 'error'],
    [202, '0', 'error'],
    [204, '', 'error'],
    [302, '0', 'error'],
    [404, '0', 'error'],
    [500, '{"code":0}', 'error'],
  ])('%i %s means %s', (status, body, means) => {
    expect(readReply(status, body).means).toBe(means)
  })

  test('that says no at length is cut', () => {
    expect(readReply(200, `{"code":"${'x'.repeat(1000)}"}`)).toMatchObject({
      why: expect.stringMatching(/^.{1,60}$/),
    })
  })
})
