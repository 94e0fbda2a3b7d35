import { describe, expect, test } from 'vitest'
import { type ResponseHandler, ResponseReader } from '../../../../src/tools/bench/http/response-reader.ts'

interface Answer {
  readonly status: number
  readonly type: string | undefined
  body: string
  complete: boolean
}

/** What is read of a text that comes in pieces of a size. */
function read(text: string, size = text.length): { answers: Answer[]; reader: ResponseReader } {
  const answers: Answer[] = []
  const handler: ResponseHandler = {
    onHead: ({ status, headers }) =>
      answers.push({ status, type: headers.get('content-type'), body: '', complete: false }),
    onBody: (bytes, start, end) => {
      answers.at(-1)!.body += bytes.toString('latin1', start, end)
    },
    onEnd: () => {
      answers.at(-1)!.complete = true
    },
  }
  const reader = new ResponseReader(handler)
  for (let at = 0; at < text.length; at += size) reader.push(Buffer.from(text.slice(at, at + size), 'latin1'))
  return { answers, reader }
}

const withLength = 'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello'
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;note=1\r\nhello\r\nA\r\n, world!!!\r\n0\r\nTrailer: x\r\n\r\n'
const bodiless = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'
const empty = 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'
const endless = 'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello'

describe('answers on one connection', () => {
  test('end by their length, their chunks or at once, however they are cut', () => {
    const text = `${withLength}${chunked}${bodiless}${empty}${endless}`
    for (const size of [1, 2, 3, 7, text.length]) {
      const { answers, reader } = read(text, size)
      expect(answers).toStrictEqual([
        { status: 200, type: 'a/b', body: 'hello', complete: true },
        { status: 200, type: undefined, body: 'hello, world!!!', complete: true },
        { status: 304, type: undefined, body: '', complete: true },
        { status: 404, type: undefined, body: '', complete: true },
        { status: 200, type: undefined, body: 'hello', complete: false },
      ])
      expect(reader.finish()).toBe(true)
      expect(answers.at(-1)).toMatchObject({ complete: true })
    }
  })

  test.each([
    ['a head', 'HTTP/1.1 200 OK\r\n'],
    ['a body', withLength.slice(0, -1)],
    ['a chunk', chunked.slice(0, -10)],
  ])('are not complete when the connection ends within %s', (_, text) => {
    const { reader } = read(text)
    expect(reader.isBetween).toBe(false)
    expect(reader.finish()).toBe(false)
  })

  test('leave nothing behind', () => {
    const { reader } = read(`${withLength}${chunked}`)
    expect(reader.isBetween).toBe(true)
    expect(reader.finish()).toBe(false)
  })
})

describe('it is no HTTP if', () => {
  test.each([
    ['it begins with something else', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['it has no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['its length is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['its head does not end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(4000)}`],
    ['a chunk has no size', chunked.replace('5;note=1', 'x')],
    ['a chunk is too large', chunked.replace('5;note=1', '123456789')],
    ['a chunk is longer than it says', chunked.replace('5;note=1', '3')],
  ])('%s', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'HTTP_RESPONSE' }))
    expect(() => read(text, 1)).toThrow(expect.objectContaining({ code: 'HTTP_RESPONSE' }))
  })
})
