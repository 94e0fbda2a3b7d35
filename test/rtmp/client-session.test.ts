import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { type AmfValue, amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import type { Packet } from '../../src/media/packet.ts'
import { encodeMessage } from '../../src/rtmp/chunk-writer.ts'
import type { ConnectParameters } from '../../src/rtmp/client-handler.ts'
import { ClientSession } from '../../src/rtmp/client-session.ts'
import { encodePingRequest, encodeSetPeerBandwidth } from '../../src/rtmp/control.ts'
import { type HandshakeKind, ServerHandshake } from '../../src/rtmp/handshake.ts'
import { ServerSession } from '../../src/rtmp/server-session.ts'
import { hex } from './bytes.ts'
import { commandBytes, type Plain, plain, serverOptions, Transcript } from './scripted-client.ts'

const parameters: ConnectParameters = { tcUrl: 'rtmp://127.0.0.1:1935/live', app: 'live' }

/** A server that says what a test has it say, and a client session that it talks to. */
class ScriptedServer {
  readonly session: ClientSession
  readonly events: Plain[][] = []
  readonly #transcript = new Transcript()
  readonly #handshake = new ServerHandshake()

  constructor(handshake: HandshakeKind = 'complex') {
    this.session = new ClientSession(
      { handshake },
      {
        send: (bytes) => this.#receive(bytes),
        onConnected: (information) => this.events.push(['connected', plain(information)]),
        onPublishStart: () => this.events.push(['publish-start']),
        onPlayStart: () => this.events.push(['play-start']),
        onStatus: (status) => this.events.push(['status', status.code]),
        onPacket: ({ type, flags, timestamp, body }) =>
          this.events.push(['packet', type, flags, timestamp, body.toString('hex')]),
        onRejected: (code, description) => this.events.push(['rejected', code, description]),
        onEnded: (status) => this.events.push(['ended', status]),
        onCall: (name, args) => this.events.push(['call', name, ...args.map(plain)]),
      },
    )
  }

  #receive(bytes: Buffer): void {
    if (this.#handshake.done) {
      this.#transcript.push(bytes)
      return
    }
    const { output, rest } = this.#handshake.push(bytes)
    if (output !== null) this.session.push(output)
    if (rest !== null) this.#transcript.push(rest)
  }

  /** What the client sent since the last call. */
  said(): Plain[][] {
    return this.#transcript.take()
  }

  told(): Plain[][] {
    return this.events.splice(0)
  }

  command(streamId: number, name: string, transactionId: number, ...args: AmfValue[]): this {
    this.session.push(commandBytes(streamId, name, transactionId, ...args))
    return this
  }

  status(level: string, code: string): this {
    return this.command(1, 'onStatus', 0, null, amfObject({ level, code, description: 'why' }))
  }

  message(type: number, body: Buffer): this {
    this.session.push(encodeMessage({ chunkStreamId: 6, type, streamId: 1, timestamp: 40 }, body, 128))
    return this
  }

  connected(): this {
    this.session.connect(parameters)
    this.command(0, '_result', 1, amfObject({}), amfObject({ code: 'NetConnection.Connect.Success' }))
    this.said()
    this.told()
    return this
  }

  publishing(): this {
    this.connected().session.publish('one')
    this.command(0, '_result', 4, null, 1).status('status', 'NetStream.Publish.Start')
    this.said()
    this.told()
    return this
  }

  playing(): this {
    this.connected().session.play('one')
    this.command(0, '_result', 2, null, 1).status('status', 'NetStream.Play.Start')
    this.said()
    this.told()
    return this
  }
}

describe('connect', () => {
  test('the command, then chunks of our size', () => {
    const server = new ScriptedServer()
    server.session.connect({
      ...parameters,
      fields: { pageUrl: 'http://page', flashVer: 'Other' },
      args: amfObject({ srs_id: 9 }),
    })
    expect(server.session.handshakeKind).toBe('complex')
    expect(server.said()).toEqual([
      [
        'connect',
        0,
        1,
        {
          app: 'live',
          type: 'nonprivate',
          flashVer: 'Other',
          tcUrl: 'rtmp://127.0.0.1:1935/live',
          fpad: false,
          capabilities: 15,
          audioCodecs: 4071,
          videoCodecs: 252,
          videoFunction: 1,
          pageUrl: 'http://page',
        },
        { srs_id: 9 },
      ],
    ])
    server.command(0, '_result', 1, amfObject({}), amfObject({ data: amfObject({ srs_id: 3 }) }))
    expect(server.told()).toEqual([['connected', { data: { srs_id: 3 } }]])
    expect(server.said()).toEqual([['set-chunk-size', 60_000]])
    expect(server.session.state).toBe('connected')
  })

  test('the simple handshake', () => {
    const server = new ScriptedServer('simple')
    server.session.connect(parameters)
    expect(server.session.handshakeKind).toBe('simple')
    expect(server.said()).toHaveLength(1)
  })

  test.each<[what: string, say: (server: ScriptedServer) => void]>([
    [
      '_error',
      (server) => server.command(0, '_error', 1, null, amfObject({ code: 'No', description: 'why' })),
    ],
    ['onStatus', (server) => server.status('error', 'No')],
  ])('rejected by %s', (_what, say) => {
    const server = new ScriptedServer()
    server.session.connect(parameters)
    say(server)
    expect(server.told().at(-1)).toEqual(['rejected', 'No', 'why'])
    expect(server.session.state).toBe('closed')
  })
})

describe('publish', () => {
  test('as encoders do it', () => {
    const server = new ScriptedServer().connected()
    server.session.publish('one?key=x', 'record')
    expect(server.said()).toEqual([
      ['releaseStream', 0, 2, null, 'one?key=x'],
      ['FCPublish', 0, 3, null, 'one?key=x'],
      ['createStream', 0, 4, null],
    ])
    server.command(0, '_error', 2, null, null).command(0, '_error', 3, null, null)
    server.command(0, '_result', 4, null, 1)
    expect(server.said()).toEqual([['publish', 1, 5, null, 'one?key=x', 'record']])
    server.command(1, 'onFCPublish', 0, null, null).status('status', 'NetStream.Publish.Start')
    expect(server.told()).toEqual([['status', 'NetStream.Publish.Start'], ['publish-start']])
    server.session.close()
    expect(server.said()).toEqual([
      ['FCUnpublish', 0, 6, null, 'one?key=x'],
      ['deleteStream', 0, 7, null, 1],
    ])
  })

  test('media; metadata in its envelope', () => {
    const server = new ScriptedServer().publishing()
    server.session.sendPacket({ type: 8, flags: 0, timestamp: 20, body: hex('af 01') })
    server.session.sendPacket({ type: 9, flags: 1, timestamp: 40, body: hex('17 01') })
    const body = encodeAmf0('onMetaData', amfObject({ width: 4 }))
    server.session.sendPacket({ type: 18, flags: 4, timestamp: 60, body })
    server.session.sendPacket({ type: 18, flags: 0, timestamp: 60, body: encodeAmf0('onTextData') })
    expect(server.said()).toEqual([
      ['audio', 1, 20, 'af01'],
      ['video', 1, 40, '1701'],
      ['data', 1, '@setDataFrame', 'onMetaData', { width: 4 }],
      ['data', 1, 'onTextData'],
    ])
    const long = { type: 9, flags: 0, timestamp: 0, body: Buffer.alloc(2 ** 24) } as const
    expect(() => server.session.sendPacket(long)).toThrow(
      expect.objectContaining({ code: 'RTMP_MESSAGE_SIZE' }),
    )
  })

  test.each<[when: string, server: () => ScriptedServer]>([
    [
      'before createStream is answered',
      () => {
        const server = new ScriptedServer().connected()
        server.session.publish('one')
        return server
      },
    ],
    [
      'as the answer to publish',
      () => {
        const server = new ScriptedServer().connected()
        server.session.publish('one')
        return server.command(0, '_result', 4, null, 1)
      },
    ],
  ])('rejected %s', (_when, make) => {
    const server = make().status('error', 'NetStream.Publish.BadName')
    expect(server.told().at(-1)).toEqual(['rejected', 'NetStream.Publish.BadName', 'why'])
    expect(server.session.state).toBe('closed')
  })

  test('createStream is refused', () => {
    const server = new ScriptedServer().connected()
    server.session.publish('one')
    server.command(0, '_error', 4, null, amfObject({ level: 'error', code: 'No', description: 'why' }))
    expect(server.told()).toEqual([['rejected', 'No', 'why']])
  })

  test('createStream is answered with nonsense', () => {
    const server = new ScriptedServer().connected()
    server.session.publish('one')
    expect(() => server.command(0, '_result', 4, null, 'x')).toThrow(
      expect.objectContaining({ code: 'RTMP_COMMAND' }),
    )
  })
})

describe('play', () => {
  test('the command and the buffer, then media', () => {
    const server = new ScriptedServer().connected()
    server.session.play('one?token=x', { start: -1, bufferMs: 500 })
    expect(server.said()).toEqual([['createStream', 0, 2, null]])
    server.command(0, '_result', 2, null, 1)
    expect(server.said()).toEqual([
      ['play', 1, 3, null, 'one?token=x', -1, -1, true],
      ['set-buffer-length', 1, 500],
    ])
    server.status('status', 'NetStream.Play.Reset').status('status', 'NetStream.Play.Start')
    server.message(18, encodeAmf0('|RtmpSampleAccess', true, true))
    server.message(18, encodeAmf0('onStatus', amfObject({ code: 'NetStream.Data.Start' })))
    server.message(18, encodeAmf0('onMetaData')).message(9, hex('17 00')).message(8, hex('af 01'))
    server.message(22, hex('08 000001 000000 00 000000 ae 0000000c'))
    expect(server.told()).toEqual([
      ['status', 'NetStream.Play.Reset'],
      ['status', 'NetStream.Play.Start'],
      ['play-start'],
      ['packet', 18, 4, 40, encodeAmf0('onMetaData').toString('hex')],
      ['packet', 9, 2, 40, '1700'],
      ['packet', 8, 0, 40, 'af01'],
      ['packet', 8, 0, 40, 'ae'],
    ])
    server.session.close()
    expect(server.said()).toEqual([['deleteStream', 0, 4, null, 1]])
  })

  test('pause', () => {
    const server = new ScriptedServer().playing()
    server.session.pause(true, 1500)
    server.session.pause(false)
    expect(server.said()).toEqual([
      ['pause', 1, 4, null, true, 1500],
      ['pause', 1, 5, null, false, 0],
    ])
  })

  test('a stream that is not there, said with level status', () => {
    const server = new ScriptedServer().connected()
    server.session.play('one')
    server.command(0, '_result', 2, null, 1).status('status', 'NetStream.Play.StreamNotFound')
    expect(server.told().at(-1)).toEqual(['rejected', 'NetStream.Play.StreamNotFound', 'why'])
  })

  test.each([
    ['status', 'NetStream.Play.Stop', 'status'],
    ['status', 'NetStream.Play.UnpublishNotify', 'status'],
    ['error', 'NetStream.Play.InsufficientBW', 'error'],
    ['status', 'NetStream.Play.Failed', 'error'],
  ])('ended by %s %s', (level, code, told) => {
    const server = new ScriptedServer().playing().status(level, code)
    expect(server.told()).toEqual([
      ['status', code],
      ['ended', { level: told, code, description: 'why' }],
    ])
    expect(server.session.state).toBe('closed')
  })

  test('other statuses change nothing', () => {
    const server = new ScriptedServer().playing().status('status', 'NetStream.Pause.Notify')
    server.status('warning', 'NetStream.Play.InsufficientBW')
    expect(server.session.state).toBe('playing')
  })

  test('the server closes the connection in order', () => {
    const server = new ScriptedServer().playing().command(0, 'close', 0, null)
    expect(server.told()).toEqual([
      ['ended', expect.objectContaining({ level: 'status', code: 'NetConnection.Connect.Closed' })],
    ])
  })
})

test('calls, pings and windows of the server are answered', () => {
  const server = new ScriptedServer().playing()
  server
    .command(0, '_onbwcheck', 11, null, 'x')
    .command(0, 'onBWDone', 0, null)
    .command(0, 'hello', 0, null, 1)
  server.session.push(encodePingRequest(5, 128))
  server.session.push(encodeSetPeerBandwidth(2_500_000, 2, 128))
  expect(server.said()).toEqual([
    ['_result', 0, 11, null, null],
    ['ping-response', 5],
    ['window-ack-size', 2_500_000],
  ])
  expect(server.told()).toEqual([['call', 'hello', 1]])
  server.session.sendCall('onSrsBandCheckStartingPlayBytes')
  expect(server.said()).toEqual([['onSrsBandCheckStartingPlayBytes', 0, 0, null]])
})

test('what makes no sense is refused to the caller', () => {
  const state = expect.objectContaining({ code: 'RTMP_STATE' })
  const packet: Packet = { type: 8, flags: 0, timestamp: 0, body: hex('af 01') }
  expect(() => new ScriptedServer().session.publish('one')).toThrow(state)
  expect(() => new ScriptedServer().connected().session.connect(parameters)).toThrow(state)
  expect(() => new ScriptedServer().playing().session.play('two')).toThrow(state)
  expect(() => new ScriptedServer().playing().session.sendPacket(packet)).toThrow(state)
  expect(() => new ScriptedServer().publishing().session.pause(true)).toThrow(state)
})

test('after close nothing is sent, read or told', () => {
  const server = new ScriptedServer().playing()
  server.session.close()
  server.said()
  server.status('status', 'NetStream.Play.Stop').message(8, hex('af 01'))
  server.session.close()
  expect(server.said()).toEqual([])
  expect(server.told()).toEqual([])
})

describe('a client and a server session', () => {
  const packetOf = fc.oneof(
    fc.record({
      type: fc.constantFrom(8 as const, 9 as const),
      flags: fc.constant(0),
      timestamp: fc.nat(0xffffffff),
      body: fc.uint8Array({ minLength: 1, maxLength: 700 }).map((bytes) => Buffer.of(0x2f, ...bytes)),
    }),
    fc.record({
      type: fc.constant(18 as const),
      flags: fc.constant(4),
      timestamp: fc.nat(0xffffffff),
      body: fc.string().map((text) => encodeAmf0('onMetaData', amfObject({ text }))),
    }),
  )

  test('carry any packets in both directions, however the bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 })
    const chunkSizes = fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 }))
    fc.assert(
      fc.property(
        fc.array(packetOf, { maxLength: 6 }),
        cuts,
        chunkSizes,
        (packets, sizes, [ours, theirs]) => {
          const link = new Link(ours, theirs, sizes)
          link.client.connect(parameters)
          link.run()
          link.client.publish('one?x=1')
          link.run()
          expect(link.events).toEqual(['handshake complex', 'connected', 'publish one ?x=1', 'publish-start'])
          for (const packet of packets) link.client.sendPacket(packet)
          link.run()
          expect(link.atServer).toEqual(packets)

          const player = new Link(ours, theirs, sizes)
          player.client.connect(parameters)
          player.run()
          player.client.play('one')
          player.run()
          for (const packet of packets) player.server.sendPacket(1, packet)
          player.run()
          expect(player.atClient).toEqual(packets)
          player.client.close()
          player.run()
          expect(player.events).toEqual(['handshake complex', 'connected', 'play one', 'play-start', 'stop'])
        },
      ),
      { numRuns: 60 },
    )
  })

  test('a server that sends changed bytes makes the client throw nothing but coded errors', () => {
    const recorded = new Link(128, 128, [100_000])
    recorded.client.connect(parameters)
    recorded.run()
    recorded.client.play('one')
    recorded.run()
    const answer = Buffer.concat(recorded.serverBytes).subarray(1 + 2 * 1536)
    const change = fc.tuple(fc.nat(answer.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(answer)
        for (const [at, value] of changes) bytes[at] = value
        const server = new ScriptedServer()
        server.session.connect(parameters)
        try {
          server.session.push(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WeirError)
          expect(server.session.state).toBe('closed')
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Both sessions, joined by two queues of bytes that are cut at the given sizes in turn. */
class Link {
  readonly events: string[] = []
  readonly atServer: Packet[] = []
  readonly atClient: Packet[] = []
  readonly serverBytes: Buffer[] = []
  readonly server: ServerSession
  readonly client: ClientSession
  readonly #sizes: number[]
  #turn = 0
  #toServer: Buffer[] = []
  #toClient: Buffer[] = []

  constructor(serverChunkSize: number, clientChunkSize: number, sizes: number[]) {
    this.#sizes = sizes
    this.server = new ServerSession(
      { ...serverOptions, chunkSize: serverChunkSize },
      {
        send: (bytes) => {
          this.serverBytes.push(bytes)
          this.#toClient.push(bytes)
        },
        onHandshake: (kind) => this.events.push(`handshake ${kind}`),
        onConnect: () => this.server.acceptConnect(),
        onPublish: ({ streamId, stream, param }) => {
          this.events.push(`publish ${stream} ${param}`)
          this.server.acceptPublish(streamId)
        },
        onPlay: ({ streamId, stream }) => {
          this.events.push(`play ${stream}`)
          this.server.acceptPlay(streamId)
        },
        onUnpublish: () => this.events.push('unpublish'),
        onStop: () => this.events.push('stop'),
        onPause: () => {},
        onPacket: (_streamId, packet) => this.atServer.push(packet),
      },
    )
    this.client = new ClientSession(
      { chunkSize: clientChunkSize },
      {
        send: (bytes) => this.#toServer.push(bytes),
        onConnected: () => this.events.push('connected'),
        onPublishStart: () => this.events.push('publish-start'),
        onPlayStart: () => this.events.push('play-start'),
        onPacket: (packet) => this.atClient.push(packet),
        onRejected: (code) => this.events.push(code),
        onEnded: ({ code }) => this.events.push(code),
      },
    )
  }

  /** Carries bytes until both are silent. */
  run(): void {
    while (this.#toServer.length > 0 || this.#toClient.length > 0) {
      const toServer = Buffer.concat(this.#toServer.splice(0))
      for (const piece of this.#cut(toServer)) this.server.push(piece)
      const toClient = Buffer.concat(this.#toClient.splice(0))
      for (const piece of this.#cut(toClient)) this.client.push(piece)
    }
  }

  *#cut(bytes: Buffer): Iterable<Buffer> {
    let at = 0
    while (at < bytes.length) {
      const size = this.#sizes[this.#turn++ % this.#sizes.length]!
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
}
