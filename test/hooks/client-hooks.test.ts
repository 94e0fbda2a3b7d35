import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AccessAction, Verdict } from '../../src/access/access-check.ts'
import { ClientHooks } from '../../src/hooks/client-hooks.ts'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { accessRequest } from '../support/access.ts'
import { configOf } from '../support/config.ts'
import { type HookServer, heard, hookServer, patience } from '../support/hook-server.ts'
import { recordingLogger } from '../support/logger.ts'

const vhost = '__defaultVhost__'
const traffic = { sendBytes: 10, recvBytes: 20 }

/** The hooks of a worker without a process. */
function setUp(section: string) {
  const sent: ToMaster[] = []
  const { logger, lines } = recordingLogger()
  const withHooks = (text: string) => configOf(`vhost ${vhost} { http_hooks { enabled on; ${text} } }`)
  const host = {
    config: withHooks(section),
    logger,
    hookIdentity: { server: 'vid-a', service: 'run-1' },
    send: (message: ToMaster) => sent.push(message),
  }
  const hooks = new ClientHooks(host)
  onTestFinished(() => hooks.close(0))
  const ask = async (action: AccessAction = 'connect'): Promise<Verdict> => {
    const stream = action === 'connect' ? '' : 'x'
    return hooks.gate.check(
      accessRequest({ action, stream, pageUrl: 'http://p/' }),
      host.config.vhosts[vhost]!,
    )
  }
  const applies = (action: AccessAction) => hooks.gate.applies(action, host.config.vhosts[vhost]!)
  return {
    ...{ hooks, sent, lines, ask, applies },
    reload: (text: string) => Object.assign(host, { config: withHooks(text) }),
    disable: () => Object.assign(host, { config: configOf() }),
    remove: () => Object.assign(host, { config: configOf('vhost other { }') }),
    counts: (action: string) => hooks.counts().find((count) => count.action === action),
    end: (verdict: Verdict) => {
      if (verdict.ok) verdict.end?.(traffic)
    },
  }
}

const never = (): ((response: ServerResponse) => void) => () => {}

describe('a question', () => {
  test('goes only where somebody is asked, or told of the end', async () => {
    const { applies } = setUp('on_connect http://127.0.0.1:1/; on_stop http://127.0.0.1:1/;')
    expect(applies('connect')).toBe(true)
    expect(applies('publish')).toBe(false)
    expect(applies('play')).toBe(true)
    const { disable, applies: appliesOff } = setUp('on_connect http://127.0.0.1:1/;')
    disable()
    expect(appliesOff('connect')).toBe(false)
  })

  test('that nobody is asked is answered at once', () => {
    const { hooks, sent } = setUp('on_stop http://127.0.0.1:1/;')
    const config = configOf(`vhost ${vhost} { http_hooks { enabled on; on_stop http://127.0.0.1:1/; } }`)
    const verdict = hooks.gate.check(accessRequest(), config.vhosts[vhost]!)
    expect(verdict).toMatchObject({ ok: true })
    expect(sent).toMatchObject([{ t: 'visit-began', visit: { action: 'on_stop' } }])
  })

  test.each<[AccessAction, string, Record<string, unknown>]>([
    ['connect', 'on_connect', { tcUrl: 'rtmp://127.0.0.1/live', pageUrl: 'http://p/' }],
    ['publish', 'on_publish', { tcUrl: 'rtmp://127.0.0.1/live', stream: 'x', param: '?token=1' }],
    ['play', 'on_play', { pageUrl: 'http://p/', stream: 'x', param: '?token=1' }],
  ])('%s is %s', async (action, name, facts) => {
    const server = await hookServer()
    const { ask } = setUp(`${name} ${server.url('/a?key=1&b')};`)
    expect(await ask(action)).toMatchObject({ ok: true })
    const [call] = server.calls
    expect(call).toMatchObject({ method: 'POST', url: '/a?key=1&b' })
    expect(call!.headers).toMatchObject({ 'content-type': 'application/json' })
    expect(call!.headers).not.toHaveProperty('x-weir-signature')
    const common = { server_id: 'vid-a', service_id: 'run-1', action: name, client_id: 'c1', ip: '10.0.0.1' }
    const ofStream = { stream_url: '/live/x', stream_id: expect.stringMatching(/^vid-/) }
    const extra = action === 'connect' ? {} : ofStream
    expect(call!.body).toStrictEqual({ ...common, vhost, app: 'live', ...facts, ...extra })
  })

  test('is signed', async () => {
    const server = await hookServer()
    const { ask } = setUp(`on_connect ${server.url()}; hook_secret s3cret;`)
    await ask()
    const { headers, text } = server.calls[0]!
    const stamp = String(headers['x-weir-timestamp'])
    expect(Math.abs(Number(stamp) - Date.now() / 1000)).toBeLessThan(60)
    const digest = createHmac('sha256', 's3cret').update(`${stamp}.${text}`).digest('hex')
    expect(headers['x-weir-signature']).toBe(`sha256=${digest}`)
  })

  test('goes to one server after the other, and all must accept', async () => {
    const server = await hookServer()
    const { ask, sent, counts } = setUp(
      `on_connect ${server.url('/1')} ${server.url('/2')} ${server.url('/3')};`,
    )
    expect(await ask()).toMatchObject({ ok: true })
    expect(server.calls.map(({ url }) => url)).toStrictEqual(['/1', '/2', '/3'])
    expect(sent).toMatchObject([{ t: 'visit-began', visit: { action: 'on_close', clientId: 'c1' } }])
    server.answer = ({ url }) => (url === '/2' ? '{"code":7}' : '0')
    expect(await ask()).toStrictEqual({
      ok: false,
      code: 'HOOK_REFUSED',
      message: 'on_connect: the server asked answers code 7',
    })
    expect(server.calls.map(({ url }) => url).slice(3)).toStrictEqual(['/1', '/2'])
    expect(sent).toHaveLength(1)
    expect(counts('on_connect')).toMatchObject({ answered: 4, refused: 1, failed: 0 })
  })

  test('brings the name and password of its URL, and no log does', async () => {
    const server = await hookServer()
    const url = server.url().replace('//', '//me:pass%20word@')
    const { ask, lines } = setUp(`on_connect ${url};`)
    await ask()
    expect(server.calls[0]!.headers.authorization).toBe(`Basic ${btoa('me:pass word')}`)
    server.answer = () => [500, '']
    await ask()
    expect(lines[0]!.reason).toBe(`${server.url()}: answers 500`)
  })

  test('uses connections again', async () => {
    const server = await hookServer()
    const { ask } = setUp(`on_connect ${server.url()};`)
    for (let time = 0; time < 20; time += 1) await ask()
    expect(server.connections).toBeLessThan(4)
  })

  test('is asked again when a kept connection was just closed', async () => {
    const server = await hookServer()
    const { ask } = setUp(`on_connect ${server.url()};`)
    let times = 0
    server.answer = () => {
      times += 1
      return times === 1 ? (response) => response.destroy() : '0'
    }
    expect(await ask()).toMatchObject({ ok: true })
    expect(times).toBe(2)
  })
})

describe('a server that is asked', () => {
  const flood = (written: { bytes: number }) => () => (response: ServerResponse) => {
    const piece = Buffer.alloc(64 * 1024, 0x30)
    const write = (): void => {
      while (written.bytes < 10_000_000 && !response.destroyed) {
        written.bytes += piece.length
        if (!response.write(piece)) {
          response.once('drain', write)
          return
        }
      }
      response.end()
    }
    write()
  }

  const bad: [string, (server: HookServer) => void][] = [
    ['never answers', (server) => (server.answer = never)],
    ['answers garbage', (server) => (server.answer = () => '<html>?</html>')],
    ['answers 10 MB', (server) => (server.answer = flood({ bytes: 0 }))],
    ['answers 500', (server) => (server.answer = () => [500, '0'])],
    ['hangs up', (server) => (server.answer = () => (response) => response.destroy())],
  ]

  test.each(bad)('and %s refuses by default', async (_name, spoil) => {
    const server = await hookServer()
    spoil(server)
    const { ask, sent, lines, counts } = setUp(`on_connect ${server.url('/h?secret=1')}; hook_timeout 300ms;`)
    expect(await ask()).toStrictEqual({
      ok: false,
      code: 'HOOK_FAILED',
      message: 'on_connect could not be asked',
    })
    expect(sent).toStrictEqual([])
    expect(counts('on_connect')).toMatchObject({ answered: 0, failed: 1 })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ code: 'HOOK_FAILED', action: 'on_connect', vhost })
    expect(lines[0]!.reason).toContain(server.url('/h: '))
    expect(JSON.stringify(lines[0])).not.toContain('secret=1')
  })

  test.each(bad)('and %s lets in where hook_on_error says so', async (_name, spoil) => {
    const server = await hookServer()
    spoil(server)
    const { ask, sent } = setUp(
      `on_connect ${server.url()}; on_play ${server.url()}; hook_timeout 300ms; hook_on_error on_connect accept;`,
    )
    expect(await ask()).toMatchObject({ ok: true })
    expect(sent).toHaveLength(1)
    expect(await ask('play')).toMatchObject({ ok: false })
  })

  test('and is down refuses', async () => {
    const server = await hookServer()
    const { ask, lines } = setUp(`on_connect ${server.url()};`)
    await server.close()
    expect(await ask()).toMatchObject({ ok: false, code: 'HOOK_FAILED' })
    expect(lines[0]!.reason).toContain('ECONNREFUSED')
  })

  test('and is down still asks those behind it, where it is let go', async () => {
    const [down, up] = [await hookServer(), await hookServer()]
    const { ask } = setUp(`on_connect ${down.url()} ${up.url()}; hook_on_error accept;`)
    await down.close()
    up.answer = () => '1'
    expect(await ask()).toMatchObject({ ok: false, code: 'HOOK_REFUSED' })
    expect(up.calls).toHaveLength(1)
  })

  test('and redirects is followed nowhere', async () => {
    const [server, other] = [await hookServer(), await hookServer()]
    server.answer = () => (response) => response.writeHead(302, { location: other.url() }).end('0')
    const { ask } = setUp(`on_connect ${server.url()};`)
    expect(await ask()).toMatchObject({ ok: false, code: 'HOOK_FAILED' })
    expect(other.calls).toStrictEqual([])
  })

  test('and answers 10 MB is not listened to for long', async () => {
    const server = await hookServer()
    const written = { bytes: 0 }
    server.answer = flood(written)
    const { ask } = setUp(`on_connect ${server.url()};`)
    expect(await ask()).toMatchObject({ ok: false, code: 'HOOK_FAILED' })
    expect(written.bytes).toBeLessThan(9_000_000)
  })

  test('stays down in one line of the log', async () => {
    const server = await hookServer()
    server.answer = () => [500, '']
    const { ask, lines } = setUp(`on_connect ${server.url()};`)
    for (let time = 0; time < 20; time += 1) await ask()
    expect(lines).toHaveLength(1)
  })
})

describe('the end of what was let in', () => {
  test.each<[AccessAction, Record<string, unknown>]>([
    ['connect', { action: 'on_close', send_bytes: 10, recv_bytes: 20 }],
    ['publish', { action: 'on_unpublish', stream: 'x', param: '?token=1' }],
    ['play', { action: 'on_stop', stream: 'x', param: '?token=1' }],
  ])('of %s is told once', async (action, body) => {
    const server = await hookServer()
    const all = `on_close ${server.url()}; on_unpublish ${server.url()}; on_stop ${server.url()};`
    const { ask, end, sent, counts } = setUp(all)
    end(await ask(action))
    await vi.waitFor(() => expect(sent).toHaveLength(2), patience)
    expect(server.calls).toHaveLength(1)
    expect(server.calls[0]!.body).toMatchObject({ client_id: 'c1', ...body })
    const [began, ended] = sent
    const id = began?.t === 'visit-began' ? began.visit.id : ''
    expect(ended).toStrictEqual({ t: 'visit-ended', id })
    expect(server.calls[0]!.headers['x-weir-event']).toBe(id)
    expect(counts(String(body.action))).toMatchObject({ answered: 1 })
  })

  test('comes in order for each client', async () => {
    const server = await hookServer()
    const { ask, end } = setUp(`on_close ${server.url()}; on_stop ${server.url()};`)
    const [connection, play] = [await ask('connect'), await ask('play')]
    server.answer = () => (response) => setImmediate(() => response.end('0'))
    end(play)
    end(connection)
    await heard(server, 2)
    expect(server.actions()).toStrictEqual(['on_stop', 'on_close'])
  })

  test('is told again until it is heard, under the same name', async () => {
    const server = await hookServer()
    server.answer = () => (server.calls.length < 3 ? [503, ''] : '0')
    const { ask, end, sent, counts } = setUp(`on_close ${server.url()};`)
    end(await ask())
    await vi.waitFor(() => expect(sent).toHaveLength(2), patience)
    expect(server.calls).toHaveLength(3)
    expect(new Set(server.calls.map(({ headers }) => headers['x-weir-event'])).size).toBe(1)
    expect(counts('on_close')).toMatchObject({ answered: 1, retried: 2, failed: 0 })
  })

  test('is told to each server, and again only to the one that did not hear', async () => {
    const server = await hookServer()
    server.answer = ({ url }) => (url === '/2' && server.calls.length < 3 ? [503, ''] : '0')
    const { ask, end } = setUp(`on_close ${server.url('/1')} ${server.url('/2')} ${server.url('/3')};`)
    end(await ask())
    await heard(server, 4)
    expect(server.calls.map(({ url }) => url)).toStrictEqual(['/1', '/2', '/2', '/3'])
  })

  test('is given up after hook_retry, and with a status that says no', async () => {
    const server = await hookServer()
    server.answer = ({ url }) => [url === '/503' ? 503 : 404, '']
    const { ask, end, sent, counts, lines } = setUp(
      `on_close ${server.url('/503')} ${server.url('/404')}; hook_retry 1;`,
    )
    end(await ask())
    await vi.waitFor(() => expect(sent).toHaveLength(2), patience)
    expect(server.calls.map(({ url }) => url)).toStrictEqual(['/503', '/503', '/404'])
    expect(counts('on_close')).toMatchObject({ answered: 0, retried: 1, failed: 2 })
    expect(lines.map(({ msg }) => msg)).toContain('hooks: a server was not told, and will not be')
  })

  test('goes where the configuration says now', async () => {
    const [before, after] = [await hookServer(), await hookServer()]
    const { ask, end, reload, disable, remove, sent } = setUp(`on_close ${before.url()};`)
    const [one, two, three] = [await ask(), await ask(), await ask()]
    remove()
    // Its virtual host is gone: it ends as that one had it.
    end(one)
    await heard(before, 1)
    reload(`on_close ${after.url()};`)
    end(two)
    await heard(after, 1)
    disable()
    end(three)
    await vi.waitFor(() => expect(sent.filter(({ t }) => t === 'visit-ended')).toHaveLength(3), patience)
    expect([before.calls.length, after.calls.length]).toStrictEqual([1, 1])
  })

  test('of one virtual host does not wait for the server of another', async () => {
    const [hangs, works] = [await hookServer(), await hookServer()]
    hangs.answer = never
    const config = configOf(
      `vhost a { http_hooks { enabled on; on_close ${hangs.url()}; } }
       vhost b { http_hooks { enabled on; on_close ${works.url()}; } }`,
    )
    const { logger } = recordingLogger()
    const hookIdentity = { server: 'v', service: 's' }
    const hooks = new ClientHooks({ config, logger, hookIdentity, send: () => {} })
    onTestFinished(() => hooks.close(0))
    const end = async (vhost: string, clientId: string): Promise<void> => {
      const verdict = await hooks.gate.check(
        accessRequest({ action: 'connect', stream: '', vhost, clientId }),
        config.vhosts[vhost]!,
      )
      if (verdict.ok) verdict.end?.(traffic)
    }
    for (let client = 0; client < 50; client += 1) await end('a', `a${client}`)
    await end('b', 'b1')
    await heard(works, 1)
    expect(hangs.calls.length).toBeLessThanOrEqual(8)
  })

  test('is told in place of another worker', async () => {
    const server = await hookServer()
    const { hooks, sent } = setUp(`on_close ${server.url()};`)
    const about = { clientId: 'c9', ip: '10.0.0.9', app: 'live', stream: '', param: '' }
    const facts = { send_bytes: 0, recv_bytes: 0 }
    hooks.tellInstead([
      { id: 'c9-1', action: 'on_close', vhost, ...about, facts },
      { id: 'c9-2', action: 'on_close', vhost: 'gone.example', ...about, facts },
    ])
    await vi.waitFor(() => expect(sent).toHaveLength(2), patience)
    expect(sent).toContainEqual({ t: 'visit-ended', id: 'c9-1' })
    expect(sent).toContainEqual({ t: 'visit-ended', id: 'c9-2' })
    expect(server.calls.map(({ body }) => body)).toMatchObject([
      { client_id: 'c9', send_bytes: 0, recv_bytes: 0 },
    ])
  })
})

describe('the end of the process', () => {
  test('waits for what is to be told', async () => {
    const server = await hookServer()
    const { ask, end, hooks, lines } = setUp(`on_close ${server.url()};`)
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => ask()))
    for (const verdict of verdicts) end(verdict)
    await hooks.close(5000)
    expect(server.calls).toHaveLength(100)
    expect(lines).toStrictEqual([])
  })

  test('tries at once what waits to be tried again', async () => {
    const server = await hookServer()
    server.answer = () => (server.calls.length === 1 ? [503, ''] : '0')
    const { ask, end, hooks, counts } = setUp(`on_close ${server.url()};`)
    end(await ask())
    await vi.waitFor(() => expect(counts('on_close')).toMatchObject({ retried: 1 }), patience)
    await hooks.close(5000)
    expect(server.calls).toHaveLength(2)
    expect(counts('on_close')).toMatchObject({ answered: 1 })
  })

  test('does not wait for a server that hangs, and says what was not told', async () => {
    const server = await hookServer()
    server.answer = never
    const { ask, end, hooks, lines, sent } = setUp(`on_close ${server.url()};`)
    end(await ask())
    await heard(server, 1)
    await hooks.close(10)
    expect(lines).toMatchObject([{ left: 1 }])
    expect(sent.map(({ t }) => t)).toStrictEqual(['visit-began'])
  })

  test('leaves what failed to others', async () => {
    const server = await hookServer()
    server.answer = () => [503, '']
    const { ask, end, hooks, sent } = setUp(`on_close ${server.url()}; on_stop ${server.url()};`)
    const [connection, play] = [await ask('connect'), await ask('play')]
    end(play)
    end(connection)
    await hooks.close(5000)
    expect(server.actions()).not.toContain('on_close')
    expect(sent.map(({ t }) => t)).toStrictEqual(['visit-began', 'visit-began'])
  })
})
