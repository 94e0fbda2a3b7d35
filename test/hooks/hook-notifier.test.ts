import { expect, test } from 'vitest'
import { FailureLog } from '../../src/hooks/failure-log.ts'
import { HookCounts } from '../../src/hooks/hook-counts.ts'
import type { HookHttp } from '../../src/hooks/hook-http.ts'
import { HookNotifier } from '../../src/hooks/hook-notifier.ts'
import { settingsOf } from '../../src/hooks/hook-settings.ts'
import { configOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'

const vhost = '__defaultVhost__'
const settings = settingsOf(configOf(`vhost ${vhost} { http_hooks { enabled on; } }`), vhost)!

/** A notifier whose server never answers, and those that it has given up. */
function setUp() {
  const http = { request: () => new Promise(() => {}) } as unknown as HookHttp
  const counts = new HookCounts()
  const notifier = new HookNotifier(http, counts, new FailureLog(recordingLogger().logger))
  const givenUp: string[] = []
  const tell = (about: string, body: string): void =>
    notifier.tell({
      ...{ action: 'on_close', vhost, about, method: 'POST', urls: ['http://127.0.0.1:1/'], body, id: about },
      ...{ settings, maxReplyBytes: 100, onDone: () => givenUp.push(about) },
    })
  return { notifier, tell, givenUp, dropped: () => counts.of('on_close').dropped }
}

test('so many news wait for a server that hangs, and what comes then is dropped', () => {
  const { notifier, tell, givenUp, dropped } = setUp()
  for (let client = 0; client < 50_000; client += 1) tell(`c${client}`, '{}')
  expect([notifier.waiting, dropped()]).toEqual([50_000, 0])
  tell('late', '{}')
  expect([notifier.waiting, dropped(), givenUp]).toEqual([50_000, 1, ['late']])
})

test('of long ones fewer wait: clients choose how long their queries are', () => {
  const { notifier, tell, givenUp, dropped } = setUp()
  const body = 'x'.repeat(15 * 1024)
  for (let client = 0; client < 3000; client += 1) tell(`c${client}`, body)
  expect(notifier.waiting * body.length).toBeLessThanOrEqual(32 * 1024 * 1024)
  expect(dropped()).toBe(3000 - notifier.waiting)
  expect(givenUp).toHaveLength(dropped())
  // A short one still finds its place.
  tell('short', '{}')
  expect(givenUp).not.toContain('short')
})
