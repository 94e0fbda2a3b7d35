import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { EventFeed } from '../../../src/http/api/event-feed.ts'
import { problemsOf } from '../../support/answer-schema.ts'
import { recordingLogger } from '../../support/logger.ts'
import { startApi } from './fake-host.ts'

/** Listens, and gives each event's lines as it comes. */
async function listen(port: number) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/api/v1/events', agent: false }, resolve).on('error', reject)
  })
  onTestFinished(() => {
    response.destroy()
  })
  let text = ''
  let wake = (): void => {}
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part
    wake()
  })
  const events = () => text.split('\n\n').slice(0, -1)
  const has = async (count: number): Promise<string[]> => {
    while (events().length < count) await new Promise<void>((resolve) => (wake = resolve))
    return events()
  }
  return { response, has }
}

test('a listener gets the whole server at once, and again every second', async () => {
  const { http } = await startApi()
  const { response, has } = await listen((http.address() as AddressInfo).port)
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
  const [retry, first, second] = await has(3)
  expect(retry).toBe('retry: 2000')
  for (const [index, event] of [first!, second!].entries()) {
    const [id, name, data, ...rest] = event.split('\n')
    expect([id, name, rest]).toEqual([`id: ${index + 1}`, 'event: snapshot', []])
    const snapshot = JSON.parse(data!.replace(/^data: /, ''))
    expect(problemsOf('/api/v1/events', 'get', snapshot)).toEqual([])
    expect(snapshot).toMatchObject({
      totals: { clients: 3, publishers: 1, players: { rtmp: 1, 'http-flv': 1 } },
      streams: [{ name: 'one' }, { name: 'two' }],
      workers: [{ state: 'running' }, { state: 'silent' }, { state: 'starting' }],
    })
  }
})

/** A response that takes nothing. */
function stuckResponse(waiting: number) {
  const written: string[] = []
  const response = {
    writableLength: 0,
    writeHead: vi.fn(),
    write: (chunk: unknown) => {
      written.push(String(chunk))
      response.writableLength = waiting
    },
    once: vi.fn(),
    end: vi.fn(),
    destroy: vi.fn(),
  }
  return { response, written, asResponse: response as unknown as Parameters<EventFeed['add']>[0] }
}

test('a listener that does not read costs no memory: events are left out for it, and at last it is closed', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const feed = new EventFeed(async () => ({}), recordingLogger().logger)
  const { response, written, asResponse } = stuckResponse(2_000_000)
  feed.add(asResponse)
  await vi.advanceTimersByTimeAsync(28_000)
  expect(written.length).toBe(1)
  expect(response.destroy).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(2000)
  expect(written.length).toBe(1)
  expect(response.destroy).toHaveBeenCalled()
})

test('events are gathered once for all listeners, and not at all without one', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const gather = vi.fn(async () => ({}))
  const feed = new EventFeed(gather, recordingLogger().logger)
  await vi.advanceTimersByTimeAsync(5000)
  expect(gather).not.toHaveBeenCalled()
  const listeners = [stuckResponse(0), stuckResponse(0)]
  for (const { asResponse } of listeners) feed.add(asResponse)
  await vi.advanceTimersByTimeAsync(3000)
  expect(gather).toHaveBeenCalledTimes(4)
  for (const { written } of listeners) expect(written.length).toBe(5)
  for (const { response } of listeners) response.once.mock.calls[0]![1]()
  await vi.advanceTimersByTimeAsync(5000)
  expect(gather).toHaveBeenCalledTimes(4)
})

test('an event that cannot be gathered is left out, and the next one comes', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { logger, lines } = recordingLogger()
  const gather = vi.fn(async () => ({})).mockRejectedValueOnce(new Error('busy'))
  const feed = new EventFeed(gather, logger)
  const { written, asResponse } = stuckResponse(0)
  feed.add(asResponse)
  await vi.advanceTimersByTimeAsync(1000)
  expect(written.at(-1)).toContain('id: 1\n')
  expect(lines).toMatchObject([{ msg: expect.stringContaining('busy') }])
})

test('no more than a hundred listen, and none when the worker ends', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const feed = new EventFeed(async () => ({}), recordingLogger().logger)
  const listeners = Array.from({ length: 100 }, () => stuckResponse(0))
  for (const { asResponse } of listeners) {
    expect(feed.hasRoom).toBe(true)
    feed.add(asResponse)
  }
  expect(feed.hasRoom).toBe(false)
  feed.close()
  for (const { response } of listeners) expect(response.end).toHaveBeenCalledOnce()
})
