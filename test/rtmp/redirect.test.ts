import { describe, expect, test } from 'vitest'
import { amfObject } from '../../src/media/amf-value.ts'
import { ClientSession } from '../../src/rtmp/client-session.ts'
import { ServerHandshake } from '../../src/rtmp/handshake.ts'
import { readRedirect, redirectObject, redirectTo } from '../../src/rtmp/redirect.ts'
import { commandBytes, connectObject, plain, ScriptedClient } from './scripted-client.ts'

const redirect = redirectTo('rtmp://192.0.2.1:1936', {
  vhost: 'v.example',
  app: 'live',
  stream: 'a b?',
  param: '?vhost=old&key=k',
})

/** What every redirect says; `code` 302 is what clients look for. */
const told = {
  level: 'error',
  code: 'NetConnection.Connect.Rejected',
  description: 'RTMP 302 Redirect',
  ex: {
    code: 302,
    redirect: 'rtmp://192.0.2.1:1936/live?vhost=v.example',
    redirect2: 'rtmp://192.0.2.1:1936/live/a%20b%3F?vhost=v.example&key=k',
  },
}

describe('a server session redirects', () => {
  test('a connect as Flash Media Server does', () => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    client.session.redirectConnect(redirect)
    expect(client.answers()).toEqual([['_error', 0, 1, null, told]])
    expect(client.session.state).toBe('closed')
  })

  test.each(['publish', 'play'] as const)('a %s as SRS does', (asked) => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    client.session.acceptConnect()
    client.command(0, 'createStream', 2, null).command(1, asked, 3, null, 'one')
    client.answers()
    if (asked === 'publish') client.session.redirectPublish(1, redirect)
    else client.session.redirectPlay(1, redirect)
    expect(client.answers()).toEqual([['onStatus', 0, 0, null, told]])
    expect(client.session.state).toBe('closed')
  })

  test('nothing that was not asked for', () => {
    const client = new ScriptedClient().handshake().command(0, 'connect', 1, connectObject)
    expect(() => client.session.redirectPlay(1, redirect)).toThrow(
      expect.objectContaining({ code: 'RTMP_STATE' }),
    )
  })
})

test('without a virtual host and a query the URL has none', () => {
  const stream = { vhost: '__defaultVhost__', app: 'live', stream: 'one', param: '' }
  expect(redirectTo('rtmp://h:1', stream)).toEqual({
    tcUrl: 'rtmp://h:1/live',
    url: 'rtmp://h:1/live/one',
  })
})

describe('a client session', () => {
  /** One that has asked to connect. */
  function connecting(follow: boolean): { session: ClientSession; events: unknown[] } {
    const events: unknown[] = []
    const handshake = new ServerHandshake()
    const session: ClientSession = new ClientSession(
      {},
      {
        send: (bytes) => {
          if (handshake.done) return
          const { output } = handshake.push(bytes)
          if (output !== null) session.push(output)
        },
        onConnected: () => events.push('connected'),
        onPublishStart: () => events.push('started'),
        onPlayStart: () => events.push('started'),
        onPacket: () => {},
        onRejected: (code) => events.push(code),
        onEnded: ({ code }) => events.push(code),
        ...(follow ? { onRedirect: (to) => events.push(to) } : {}),
      },
    )
    session.connect({ tcUrl: 'rtmp://h/live', app: 'live' })
    return { session, events }
  }

  test('hands on where it is sent, and is closed', () => {
    const { session, events } = connecting(true)
    session.push(commandBytes(0, '_error', 1, null, redirectObject(redirect)))
    expect(events).toEqual([redirect])
    expect(session.state).toBe('closed')
  })

  test('takes a redirect for a refusal if nobody follows it', () => {
    const { session, events } = connecting(false)
    session.push(commandBytes(0, '_error', 1, null, redirectObject(redirect)))
    expect(events).toEqual(['NetConnection.Connect.Rejected'])
  })
})

describe('what is no redirect', () => {
  test.each([
    ['no ex', amfObject({ level: 'error' })],
    ['another code', amfObject({ ex: amfObject({ code: 301, redirect: 'rtmp://b/live' }) })],
    ['no address', amfObject({ ex: amfObject({ code: 302 }) })],
    ['an address that is no text', amfObject({ ex: amfObject({ code: 302, redirect: 5 }) })],
    ['nothing', undefined],
  ])('%s', (_, value) => {
    expect(readRedirect(value)).toBeNull()
  })

  test('while one without redirect2 is one', () => {
    const sent = redirectObject({ tcUrl: 'rtmp://b/live', url: '' })
    expect(plain(sent)).toMatchObject({ ex: { code: 302, redirect: 'rtmp://b/live' } })
    expect(readRedirect(sent)).toEqual({ tcUrl: 'rtmp://b/live', url: '' })
  })
})
