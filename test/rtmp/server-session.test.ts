import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { type AmfValue, amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { encodeMessage } from '../../src/rtmp/chunk-writer.ts'
import {
  encodeAcknowledgement,
  encodePingRequest,
  encodePingResponse,
  encodeSetBufferLength,
  encodeSetPeerBandwidth,
  encodeWindowAckSize,
} from '../../src/rtmp/control.ts'
import { maxStreams } from '../../src/rtmp/server-streams.ts'
import { maxWaitingBytes, maxWaitingMessages } from '../../src/rtmp/waiting-messages.ts'
import { hex } from './bytes.ts'
import { commandBytes, connectObject, type Plain, ScriptedClient } from './scripted-client.ts'

function names(messages: Plain[][]): Plain[] {
  return messages.map((message) => message[0])
}

function codes(messages: Plain[][]): Plain[] {
  return messages
    .filter(([name]) => name === 'onStatus')
    .map((message) => (message[4] as { code: string }).code)
}

/** A client that publishes `one` on stream 1. */
function publisher(verdict: 'accept' | 'wait' = 'accept'): ScriptedClient {
  const client = new ScriptedClient(verdict)
  client.handshake().command(0, 'connect', 1, connectObject)
  if (verdict === 'wait') client.session.acceptConnect()
  client
    .command(0, 'releaseStream', 2, null, 'one')
    .command(0, 'FCPublish', 3, null, 'one')
    .command(0, 'createStream', 4, null)
    .command(1, 'publish', 5, null, 'one', 'live')
  client.told()
  client.answers()
  return client
}

describe('verdicts', () => {
  test('nothing is said before connect is accepted', () => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    expect(client.answers()).toEqual([])
    expect(client.session.state).toBe('connect')
    expect(client.session.waiting).toBe(true)
    client.session.acceptConnect()
    expect(names(client.answers())).toEqual([
      'window-ack-size',
      'set-peer-bandwidth',
      'set-chunk-size',
      '_result',
      'onBWDone',
    ])
    expect(client.session.state).toBe('ready')
    expect(client.session.waiting).toBe(false)
  })

  test('an accepted connect may have a chunk size and a window of its own', () => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    client.session.acceptConnect({ chunkSize: 4096, windowAckSize: 9000 })
    expect(client.answers().slice(0, 3)).toEqual([
      ['window-ack-size', 9000],
      ['set-peer-bandwidth', 9000, 2],
      ['set-chunk-size', 4096],
    ])
    expect(client.session.chunkSize).toBe(4096)
  })

  test('a rejected connect is told why and ends the session', () => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    client.session.rejectConnect('NetConnection.Connect.Rejected', 'no such vhost')
    expect(client.answers()).toEqual([
      [
        '_error',
        0,
        1,
        null,
        { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'no such vhost' },
      ],
    ])
    expect(client.session.state).toBe('closed')
    client.command(0, 'createStream', 2, null)
    client.session.acceptConnect()
    expect(client.answers()).toEqual([])
  })

  test('a publish is acknowledged only once it is accepted', () => {
    const client = publisher('wait')
    expect(client.answers()).toEqual([])
    client.session.acceptPublish(1)
    expect(names(client.answers())).toEqual(['onFCPublish', 'onStatus'])
  })

  test('a rejected publish leaves the stream for another try', () => {
    const client = publisher('wait')
    client.session.rejectPublish(1, 'NetStream.Publish.BadName', 'Stream one is busy.')
    const [status] = client.answers()
    expect(status).toEqual([
      'onStatus',
      1,
      0,
      null,
      {
        level: 'error',
        code: 'NetStream.Publish.BadName',
        description: 'Stream one is busy.',
        clientid: 'weir',
      },
    ])
    client.message(8, 1, 0, hex('af 01 00'))
    client.command(1, 'publish', 5, null, 'two', 'live')
    expect(client.told()).toEqual([['publish', expect.objectContaining({ stream: 'two' })]])
  })

  test('a rejected play leaves the stream for another try', () => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    client.session.acceptConnect()
    client.command(0, 'createStream', 2, null).command(1, 'play', 3, null, 'one')
    client.answers()
    client.session.rejectPlay(1, 'NetStream.Play.Failed', 'refused')
    expect(codes(client.answers())).toEqual(['NetStream.Play.Failed'])
    client.told()
    client.command(1, 'play', 3, null, 'two')
    client.session.acceptPlay(1)
    expect(client.told()).toEqual([['play', expect.objectContaining({ stream: 'two' })]])
    expect(codes(client.answers())).toEqual(['NetStream.Play.Reset', 'NetStream.Play.Start'])
  })

  test('a verdict without a request is a mistake of the caller', () => {
    const state = expect.objectContaining({ code: 'RTMP_STATE' })
    expect(() => publisher().session.acceptPublish(1)).toThrow(state)
    expect(() => publisher('wait').session.acceptPublish(2)).toThrow(state)
    expect(() => publisher('wait').session.acceptPlay(1)).toThrow(state)
    expect(() => publisher('wait').session.acceptConnect()).toThrow(state)
  })

  test('a verdict after the end is ignored', () => {
    const client = publisher('wait')
    client.session.close()
    client.session.acceptPublish(1)
    expect(client.answers()).toEqual([])
    expect(client.session.waiting).toBe(false)
  })
})

describe('pipelining', () => {
  test('all of a publish at once, without waiting for an answer, is taken in order', () => {
    const client = new ScriptedClient('wait').handshake()
    const audio = encodeMessage(
      { chunkStreamId: 4, type: 8, streamId: 1, timestamp: 7 },
      hex('af 01 11'),
      128,
    )
    client.session.push(
      Buffer.concat([
        commandBytes(0, 'connect', 1, connectObject),
        commandBytes(0, 'releaseStream', 2, null, 'one'),
        commandBytes(0, 'FCPublish', 3, null, 'one'),
        commandBytes(0, 'createStream', 4, null),
        commandBytes(1, 'publish', 5, null, 'one'),
        audio,
        commandBytes(0, 'FCUnpublish', 6, null, 'one'),
        commandBytes(0, 'deleteStream', 7, null, 1),
      ]),
    )
    expect(client.answers()).toEqual([])
    expect(names(client.told())).toEqual(['handshake', 'connect'])
    client.session.acceptConnect()
    expect(names(client.answers()).slice(5)).toEqual(['_result', '_result', '_result'])
    expect(names(client.told())).toEqual(['publish'])
    client.session.acceptPublish(1)
    expect(names(client.answers())).toEqual([
      'onFCPublish',
      'onStatus',
      'onFCUnpublish',
      '_result',
      'onStatus',
    ])
    expect(client.told()).toEqual([
      ['packet', 1, 8, 0, 7, 'af0111'],
      ['unpublish', 1],
    ])
  })

  test('several requests that are accepted at once from inside the handler', () => {
    const client = new ScriptedClient('wait').handshake().command(0, 'connect', 1, connectObject)
    client.command(0, 'createStream', 2, null).command(1, 'play', 3, null, 'one')
    client
      .command(0, 'createStream', 4, null)
      .command(2, 'play', 5, null, 'two')
      .command(2, 'pause', 0, null, true, 0)
    const accepting = new ScriptedClient('accept')
    accepting.handshake()
    accepting.session.push(
      Buffer.concat([
        commandBytes(0, 'connect', 1, connectObject),
        commandBytes(0, 'createStream', 2, null),
        commandBytes(1, 'play', 3, null, 'one'),
        commandBytes(0, 'createStream', 4, null),
        commandBytes(2, 'play', 5, null, 'two'),
        commandBytes(2, 'pause', 0, null, true, 0),
      ]),
    )
    client.session.acceptConnect()
    client.session.acceptPlay(1)
    client.session.acceptPlay(2)
    expect(client.told()).toEqual(accepting.told())
    expect(client.answers()).toEqual(accepting.answers())
  })

  test('what is dropped by a rejection is not delivered later', () => {
    const client = publisher('wait')
    client.message(8, 1, 0, hex('af 01 00')).command(0, 'deleteStream', 6, null, 1)
    client.session.rejectPublish(1, 'NetStream.Publish.BadName', 'busy')
    expect(client.told()).toEqual([])
    client.command(0, 'createStream', 7, null)
    expect(client.answers().at(-1)).toEqual(['_result', 0, 7, null, 1])
  })

  test('too many messages before an answer', () => {
    const client = publisher('wait')
    for (let count = 0; count < maxWaitingMessages; count++) client.message(8, 1, count, hex('af 01'))
    expect(() => client.message(8, 1, 0, hex('af 01'))).toThrow(
      expect.objectContaining({ code: 'RTMP_FLOOD' }),
    )
    expect(client.session.state).toBe('closed')
  })

  test('too many bytes before an answer', () => {
    const client = publisher('wait')
    client.message(9, 1, 0, Buffer.alloc(maxWaitingBytes, 0x27))
    expect(() => client.message(9, 1, 0, hex('27'))).toThrow(expect.objectContaining({ code: 'RTMP_FLOOD' }))
  })

  test('control messages do not wait', () => {
    const client = publisher('wait')
    client.session.push(encodePingRequest(5, 128))
    expect(client.answers()).toEqual([['ping-response', 5]])
  })

  test('an error among the waiting messages comes out of the verdict and closes', () => {
    const client = publisher('wait').command(0, 'connect', 9, connectObject)
    expect(() => client.session.acceptPublish(1)).toThrow(expect.objectContaining({ code: 'RTMP_STATE' }))
    expect(client.session.state).toBe('closed')
  })
})

describe('media', () => {
  const metadata = amfObject({ width: 640 })
  const onMetaData = encodeAmf0('onMetaData', metadata)

  test.each<[what: string, type: number, body: Buffer, packet: Plain[] | null]>([
    ['AAC', 8, hex('af 01 21 10'), [8, 0, 40, 'af012110']],
    ['AAC sequence header', 8, hex('af 00 12 10'), [8, 2, 40, 'af001210']],
    ['AVC key frame', 9, hex('17 01 000000 65'), [9, 1, 40, '170100000065']],
    ['AVC sequence header', 9, hex('17 00 000000 01'), [9, 2, 40, '170000000001']],
    ['an empty body', 8, Buffer.alloc(0), null],
    ['metadata', 18, onMetaData, [18, 4, 40, onMetaData.toString('hex')]],
    [
      'metadata in its envelope',
      18,
      Buffer.concat([encodeAmf0('@setDataFrame'), onMetaData]),
      [18, 4, 40, onMetaData.toString('hex')],
    ],
    ['AMF3 metadata', 15, Buffer.concat([hex('00'), onMetaData]), [18, 4, 40, onMetaData.toString('hex')]],
    [
      'other data',
      18,
      encodeAmf0('onTextData', 'x'),
      [18, 0, 40, encodeAmf0('onTextData', 'x').toString('hex')],
    ],
    ['a wish to forget the metadata', 18, encodeAmf0('@clearDataFrame', 'onMetaData'), null],
    ['a status that only a server may send', 18, encodeAmf0('onStatus', metadata), null],
    ['data that does not begin with a name', 18, encodeAmf0(1, 2), null],
    ['a shared object', 19, hex('00 01'), null],
    ['an AMF3 shared object', 16, hex('00 01'), null],
    ['a type that does not exist', 99, hex('00 01'), null],
  ])('%s', (_what, type, body, packet) => {
    const client = publisher().message(type, 1, 40, body)
    expect(client.told()).toEqual(packet === null ? [] : [['packet', 1, ...packet]])
  })

  test('an aggregate is split, its times moved to its own', () => {
    const parts = hex('08 000003 000064 00 000000 af0121 0000000e 09 000001 000078 00 000000 27 0000000c')
    expect(publisher().message(22, 1, 5000, parts).told()).toEqual([
      ['packet', 1, 8, 0, 5000, 'af0121'],
      ['packet', 1, 9, 0, 5020, '27'],
    ])
  })

  test('media of streams that publish nothing is dropped', () => {
    const client = publisher().message(8, 2, 0, hex('af 01'))
    client.command(0, 'createStream', 6, null).command(2, 'play', 7, null, 'x')
    client.told()
    client.message(8, 2, 0, hex('af 01')).message(8, 0, 0, hex('af 01'))
    client.command(0, 'FCUnpublish', 8, null, 'one').message(8, 1, 0, hex('af 01'))
    expect(client.told()).toEqual([['unpublish', 1]])
  })

  test('media on message stream 0 belongs to the only stream', () => {
    expect(publisher().message(8, 0, 3, hex('af 01')).told()).toEqual([['packet', 1, 8, 0, 3, 'af01']])
  })

  test('nothing is delivered after the handler closed the session', () => {
    const client = publisher()
    const parts = hex('08 000001 000000 00 000000 af 0000000c 08 000001 000000 00 000000 ae 0000000c')
    client.events.push = (...events) => {
      client.session.close()
      return Array.prototype.push.apply(client.events, events)
    }
    client.message(22, 1, 0, parts)
    expect(client.told()).toHaveLength(1)
  })

  test('sendPacket and sendCall', () => {
    const client = publisher()
    client.session.sendPacket(1, { type: 9, flags: 0, timestamp: 20, body: hex('27 01') })
    client.session.sendCall('onSrsBandCheckStartPlayBytes', amfObject({ duration_ms: 3000 }))
    expect(client.answers()).toEqual([
      ['video', 1, 20, '2701'],
      ['onSrsBandCheckStartPlayBytes', 0, 0, null, { duration_ms: 3000 }],
    ])
  })
})

describe('AMF3 commands', () => {
  /** A command of type 17: a format byte of 0, then AMF0, or AMF3 behind the marker 0x11. */
  function amf3(client: ScriptedClient, streamId: number, body: Buffer): void {
    client.message(17, streamId, 0, Buffer.concat([hex('00'), body]))
  }

  test('a Flash player with objectEncoding 3', () => {
    const client = new ScriptedClient().handshake()
    client.command(0, 'connect', 1, amfObject({ ...Object.fromEntries(connectObject), objectEncoding: 3 }))
    client.answers()
    amf3(client, 0, encodeAmf0('createStream', 2, null))
    expect(client.answers()).toEqual([['_result', 0, 2, null, 1]])
    // The name in AMF3: a string of 3 bytes, "one".
    amf3(client, 1, Buffer.concat([encodeAmf0('play', 0, null), hex('11 06 07 6f6e65')]))
    expect(codes(client.answers())).toEqual(['NetStream.Play.Reset', 'NetStream.Play.Start'])
    expect(client.told().at(-1)).toEqual(['play', expect.objectContaining({ stream: 'one' })])
  })
})

describe('acknowledgements, pings and other control', () => {
  test('the client is acknowledged in its window, counted over all bytes', () => {
    const client = publisher()
    client.session.push(encodeWindowAckSize(1000, 128))
    client.answers()
    const before = client.session.bytesReceived
    client.message(9, 1, 0, Buffer.alloc(500, 0x27))
    expect(client.answers()).toEqual([])
    client.message(9, 1, 0, Buffer.alloc(500, 0x27))
    expect(client.session.bytesReceived).toBeGreaterThan(before + 1000)
    expect(client.answers()).toEqual([['acknowledgement', client.session.bytesReceived]])
  })

  test('a client without a window is acknowledged in ours; a window of 0 is none', () => {
    const client = new ScriptedClient('accept', { windowAckSize: 10_000 }).connected()
    client.session.push(encodeWindowAckSize(0, 128))
    client.message(9, 1, 0, Buffer.alloc(7000))
    expect(names(client.answers())).toEqual(['acknowledgement'])
  })

  test('a tiny window gives one acknowledgement a push', () => {
    const client = publisher()
    client.session.push(encodeWindowAckSize(1, 128))
    client.answers()
    client.session.push(Buffer.concat(Array.from({ length: 50 }, () => encodePingResponse(1, 128))))
    expect(names(client.answers())).toEqual(['acknowledgement'])
  })

  test('what the client acknowledges counts on where 32 bits end', () => {
    const client = publisher()
    for (const [sequenceNumber, total] of [
      [0x7fffffff, 0x7fffffff],
      [0xfffffff0, 0xfffffff0],
      [0x10, 0x1_0000_0010],
      [0x5, 0x1_0000_0010],
      [0x70000000, 0x1_7000_0000],
    ] as const) {
      client.session.push(encodeAcknowledgement(sequenceNumber, 128))
      expect(client.session.bytesAcknowledged).toBe(total)
    }
  })

  test('pings in both directions', () => {
    const client = publisher()
    expect(client.session.lastPong).toBeNull()
    client.session.sendPing(12_345)
    expect(client.answers()).toEqual([['ping-request', 12_345]])
    client.session.push(encodePingResponse(12_345, 128))
    expect(client.session.lastPong).toBe(12_345)
    client.session.push(encodePingRequest(77, 128))
    expect(client.answers()).toEqual([['ping-response', 77]])
  })

  test('Set Peer Bandwidth is answered unless the window is known', () => {
    const client = publisher()
    client.session.push(encodeSetPeerBandwidth(2_500_000, 2, 128))
    expect(client.answers()).toEqual([])
    client.session.push(encodeSetPeerBandwidth(9000, 2, 128))
    expect(client.answers()).toEqual([['window-ack-size', 9000]])
  })

  test('the buffer length that a player asks for', () => {
    const client = publisher()
    expect(client.session.bufferLengthMs).toBeNull()
    client.session.push(encodeSetBufferLength(1, 3000, 128))
    expect(client.session.bufferLengthMs).toBe(3000)
  })
})

describe('the server ends', () => {
  test('a publish: what still comes is dropped, another publish may follow', () => {
    const client = publisher()
    client.session.endPublish(1, 'NetStream.Publish.BadName', 'Another encoder took the stream over.')
    expect(codes(client.answers())).toEqual(['NetStream.Publish.BadName'])
    client.session.endPublish(1, 'NetStream.Publish.BadName', 'again')
    client.message(8, 1, 0, hex('af 01')).command(0, 'FCUnpublish', 6, null, 'one')
    expect(client.answers()).toEqual([['_result', 0, 6, null, undefined]])
    expect(client.told()).toEqual([])
    client.command(1, 'publish', 7, null, 'one')
    expect(names(client.told())).toEqual(['publish'])
  })

  test.each([
    ['NetStream.Play.Stop', 'status'],
    ['NetStream.Play.UnpublishNotify', 'status'],
    ['NetStream.Play.Failed', 'error'],
  ])('a play with %s, which is a %s', (code, level) => {
    const client = new ScriptedClient()
      .connected()
      .command(0, 'createStream', 2, null)
      .command(1, 'play', 3, null, 'one')
    client.answers()
    client.session.endPlay(1, code, 'the end')
    expect(client.answers()).toEqual([
      ['stream-eof', 1],
      ['onStatus', 1, 0, null, { level, code, description: 'the end', clientid: 'weir' }],
    ])
    client.session.endPlay(1, code, 'the end')
    expect(client.answers()).toEqual([])
  })
})

describe('streams', () => {
  test('the lowest free id, at most 16', () => {
    const client = new ScriptedClient().connected()
    for (let id = 1; id <= maxStreams; id++) {
      client.command(0, 'createStream', id, null)
      expect(client.answers()).toEqual([['_result', 0, id, null, id]])
    }
    client.command(0, 'deleteStream', 0, null, 3).command(0, 'createStream', 20, null)
    expect(client.answers()).toEqual([['_result', 0, 20, null, 3]])
    expect(() => client.command(0, 'createStream', 21, null)).toThrow(
      expect.objectContaining({ code: 'RTMP_FLOOD' }),
    )
  })

  test('a conference publishes and plays on one connection', () => {
    const client = new ScriptedClient().connected()
    client.command(0, 'createStream', 2, null).command(1, 'publish', 0, null, 'me')
    client.command(0, 'createStream', 3, null).command(2, 'play', 0, null, 'you')
    client.told()
    client.message(8, 1, 0, hex('af 01')).command(2, 'closeStream', 0, null).message(8, 1, 20, hex('af 01'))
    expect(names(client.told())).toEqual(['packet', 'stop', 'packet'])
  })
})

describe('errors close the session', () => {
  const cases: [what: string, code: string, say: (client: ScriptedClient) => unknown][] = [
    [
      'another protocol',
      'RTMP_HANDSHAKE_VERSION',
      (client) => client.session.push(Buffer.from('GET / HTTP')),
    ],
    ['a command before connect', 'RTMP_STATE', (c) => c.handshake().command(0, 'createStream', 1, null)],
    ['a second connect', 'RTMP_STATE', (c) => c.connected().command(0, 'connect', 2, connectObject)],
    ['publish without a stream', 'RTMP_STATE', (c) => c.connected().command(0, 'publish', 2, null, 'x')],
    [
      'play on a stream that is not open',
      'RTMP_STATE',
      (c) => c.connected().command(0, 'createStream', 2, null).command(2, 'play', 2, null, 'x'),
    ],
    ['connect without its object', 'RTMP_COMMAND', (c) => c.handshake().command(0, 'connect', 1, 'live')],
    ['a command without a name', 'RTMP_COMMAND', (c) => c.connected().message(20, 0, 0, encodeAmf0(1, 2))],
    ['a command of nothing', 'RTMP_COMMAND', (c) => c.connected().message(20, 0, 0, Buffer.alloc(0))],
    [
      'publish without a name',
      'RTMP_COMMAND',
      (c) => c.connected().command(0, 'createStream', 2, null).command(1, 'publish', 3, null),
    ],
    ['broken AMF', 'AMF_TRUNCATED', (c) => c.connected().message(20, 0, 0, hex('02 0010 61'))],
    ['a short control message', 'RTMP_CONTROL', (c) => c.connected().message(5, 0, 0, hex('00'))],
    [
      'a large message before connect',
      'RTMP_MESSAGE_SIZE',
      (c) => c.handshake().message(20, 0, 0, Buffer.alloc(64 * 1024 + 1)),
    ],
    [
      'a larger message than is allowed',
      'RTMP_MESSAGE_SIZE',
      (c) => c.connected().message(9, 1, 0, Buffer.alloc(1024 * 1024 + 1)),
    ],
  ]

  test.each(cases)('%s', (_what, code, say) => {
    const client = new ScriptedClient()
    expect(() => say(client)).toThrow(expect.objectContaining({ code }))
    expect(client.session.state).toBe('closed')
    client.answers()
    client.told()
    client.command(0, 'connect', 1, connectObject)
    expect(client.answers()).toEqual([])
    expect(client.told()).toEqual([])
  })

  test.each<[what: string, code: string, say: (client: ScriptedClient) => unknown, answer: Plain[]]>([
    [
      'app',
      'NetConnection.Connect.Rejected',
      (c) => c.handshake().command(0, 'connect', 1, amfObject({ app: '../x', tcUrl: 'rtmp://a/x' })),
      ['_error', 0, 1, null],
    ],
    [
      'stream to publish',
      'NetStream.Publish.BadName',
      (c) => c.connected().command(0, 'createStream', 2, null).command(1, 'publish', 3, null, 'a\0b'),
      ['onStatus', 1, 0, null],
    ],
    [
      'stream to play',
      'NetStream.Play.Failed',
      (c) => c.connected().command(0, 'createStream', 2, null).command(1, 'play', 3, null, ''),
      ['onStatus', 1, 0, null],
    ],
  ])('a bad name of an %s is explained to the client', (_what, code, say, answer) => {
    const client = new ScriptedClient()
    expect(() => say(client)).toThrow(expect.objectContaining({ code: 'RTMP_NAME' }))
    expect(client.answers().at(-1)).toEqual([...answer, expect.objectContaining({ level: 'error', code })])
  })
})

test('a dialogue with bytes changed throws nothing but coded errors', () => {
  const args: AmfValue[] = [null, 'one', 'live']
  const dialogue = Buffer.concat([
    commandBytes(0, 'connect', 1, connectObject),
    commandBytes(0, 'releaseStream', 2, ...args),
    commandBytes(0, 'createStream', 3, null),
    commandBytes(1, 'publish', 4, ...args),
    encodeMessage(
      { chunkStreamId: 5, type: 18, streamId: 1, timestamp: 0 },
      encodeAmf0('@setDataFrame', 'x'),
      128,
    ),
    encodeMessage(
      { chunkStreamId: 6, type: 22, streamId: 1, timestamp: 0 },
      hex('08 000001 000000 00 000000 af 0c'),
      128,
    ),
    commandBytes(0, 'FCUnpublish', 5, ...args),
    commandBytes(1, 'play', 6, null, 'two'),
    commandBytes(1, 'pause', 0, null, true, 0),
    commandBytes(0, 'deleteStream', 7, null, 1),
  ])
  const change = fc.tuple(fc.nat(dialogue.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(dialogue)
      for (const [at, value] of changes) bytes[at] = value
      const client = new ScriptedClient().handshake()
      try {
        client.session.push(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(WeirError)
        expect(client.session.state).toBe('closed')
      }
    }),
    { numRuns: 400 },
  )
})
