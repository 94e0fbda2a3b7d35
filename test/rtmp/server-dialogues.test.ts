import { describe, expect, test } from 'vitest'
import { type AmfValue, amfEcmaArray, amfObject } from '../../src/media/amf-value.ts'
import { connectObject, type Plain, ScriptedClient } from './scripted-client.ts'

/** One thing the client says, beside what the server answers and what its handler is told. */
interface Step {
  say: [streamId: number, name: string, transactionId: number, ...args: AmfValue[]]
  answers?: Plain[][]
  told?: Plain[][]
}

const clientid = 'weir'

/** Answers that come in several dialogues. */
const publishStart: Plain[] = [
  'onStatus',
  1,
  0,
  null,
  { level: 'status', code: 'NetStream.Publish.Start', description: 'Started publishing stream.', clientid },
]
const onFcPublish: Plain[] = [
  'onFCPublish',
  1,
  0,
  null,
  { code: 'NetStream.Publish.Start', description: 'Started publishing stream.' },
]

function playStarted(stream: string): Plain[][] {
  return [
    ['stream-begin', 1],
    [
      'onStatus',
      1,
      0,
      null,
      {
        level: 'status',
        code: 'NetStream.Play.Reset',
        description: 'Playing and resetting stream.',
        details: stream,
        clientid,
      },
    ],
    [
      'onStatus',
      1,
      0,
      null,
      {
        level: 'status',
        code: 'NetStream.Play.Start',
        description: 'Started playing stream.',
        details: stream,
        clientid,
      },
    ],
    ['data', 1, '|RtmpSampleAccess', true, true],
    ['data', 1, 'onStatus', { code: 'NetStream.Data.Start' }],
  ]
}

function connected(transactionId: number, objectEncoding = 0): Plain[][] {
  return [
    ['window-ack-size', 2_500_000],
    ['set-peer-bandwidth', 2_500_000, 2],
    ['set-chunk-size', 60_000],
    [
      '_result',
      0,
      transactionId,
      { fmsVer: 'FMS/3,5,3,888', capabilities: 127, mode: 1 },
      {
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded',
        objectEncoding,
        data: { version: '3,5,3,888', srs_server: 'Weir', srs_id: 107 },
      },
    ],
    ['onBWDone', 0, 0, null],
  ]
}

const address = {
  schema: 'rtmp',
  host: '127.0.0.1',
  port: 1935,
  vhost: '127.0.0.1',
  app: 'live',
  stream: '',
  param: '',
}
const publish = {
  streamId: 1,
  vhost: '127.0.0.1',
  app: 'live',
  stream: 'one',
  param: '',
  type: 'live',
  style: 'fmle',
}
const play = {
  streamId: 1,
  vhost: '127.0.0.1',
  app: 'live',
  stream: 'one',
  param: '',
  start: -2,
  duration: -1,
  reset: true,
}

const ffmpegConnect: Step = {
  say: [0, 'connect', 1, connectObject],
  answers: connected(1),
  told: [
    [
      'connect',
      {
        app: 'live',
        tcUrl: 'rtmp://127.0.0.1:1935/live',
        pageUrl: '',
        swfUrl: '',
        flashVer: 'FMLE/3.0 (compatible; Lavf60.16.100)',
        objectEncoding: 0,
        address,
        args: null,
        route: [],
      },
    ],
  ],
}

const flashConnect: Step = {
  say: [
    0,
    'connect',
    1,
    amfObject({
      app: 'live',
      flashVer: 'WIN 32,0,0,101',
      swfUrl: 'http://site.example/player.swf',
      tcUrl: 'rtmp://127.0.0.1/live',
      fpad: false,
      capabilities: 239,
      audioCodecs: 3575,
      videoCodecs: 252,
      videoFunction: 1,
      pageUrl: 'http://site.example/',
      objectEncoding: 3,
    }),
  ],
  answers: connected(1, 3),
  told: [
    [
      'connect',
      {
        app: 'live',
        tcUrl: 'rtmp://127.0.0.1/live',
        pageUrl: 'http://site.example/',
        swfUrl: 'http://site.example/player.swf',
        flashVer: 'WIN 32,0,0,101',
        objectEncoding: 3,
        address,
        args: null,
        route: [],
      },
    ],
  ],
}

const releaseStream: Step = {
  say: [0, 'releaseStream', 2, null, 'one'],
  answers: [['_result', 0, 2, null, undefined]],
}
const fcPublish: Step = {
  say: [0, 'FCPublish', 3, null, 'one'],
  answers: [['_result', 0, 3, null, undefined]],
}
const createStream: Step = { say: [0, 'createStream', 4, null], answers: [['_result', 0, 4, null, 1]] }
const publishLive: Step = {
  say: [1, 'publish', 5, null, 'one', 'live'],
  answers: [onFcPublish, publishStart],
  told: [['publish', publish]],
}
const fcUnpublish: Step = {
  say: [0, 'FCUnpublish', 6, null, 'one'],
  answers: [
    [
      'onFCUnpublish',
      1,
      0,
      null,
      { code: 'NetStream.Unpublish.Success', description: 'Stop publishing stream.' },
    ],
    ['_result', 0, 6, null, undefined],
    [
      'onStatus',
      1,
      0,
      null,
      {
        level: 'status',
        code: 'NetStream.Unpublish.Success',
        description: 'Stream is now unpublished.',
        clientid,
      },
    ],
  ],
  told: [['unpublish', 1]],
}
const playLive: Step = {
  say: [1, 'play', 0, null, 'one'],
  answers: playStarted('one'),
  told: [['play', play]],
}

const dialogues: Record<string, Step[]> = {
  'ffmpeg publishes and leaves': [
    ffmpegConnect,
    releaseStream,
    fcPublish,
    createStream,
    { say: [0, '_checkbw', 5, null], answers: [['_result', 0, 5, null, null]] },
    publishLive,
    fcUnpublish,
    { say: [0, 'deleteStream', 7, null, 1] },
  ],
  'OBS publishes with a key': [
    ffmpegConnect,
    releaseStream,
    fcPublish,
    createStream,
    {
      say: [1, 'publish', 5, null, 'one?key=a%20b', 'live'],
      answers: [onFcPublish, publishStart],
      told: [['publish', { ...publish, param: '?key=a%20b' }]],
    },
    { ...fcUnpublish, say: [0, 'FCUnpublish', 6, null, 'one?key=a%20b'] },
    { say: [0, 'deleteStream', 7, null, 1] },
  ],
  'FMLE publishes again on the same connection': [
    ffmpegConnect,
    releaseStream,
    fcPublish,
    createStream,
    publishLive,
    fcUnpublish,
    { say: [1, 'closeStream', 0, null] },
    { say: [0, 'deleteStream', 0, null, 1] },
    releaseStream,
    fcPublish,
    createStream,
    publishLive,
    { say: [0, 'deleteStream', 0, null, 1], told: [['unpublish', 1]] },
  ],
  'FMLE publishes again on the same stream': [
    ffmpegConnect,
    releaseStream,
    fcPublish,
    createStream,
    publishLive,
    fcUnpublish,
    publishLive,
  ],
  'an encoder that changes the name without unpublishing': [
    ffmpegConnect,
    releaseStream,
    fcPublish,
    createStream,
    publishLive,
    {
      say: [1, 'publish', 5, null, 'two', 'record'],
      answers: [onFcPublish, publishStart],
      told: [
        ['unpublish', 1],
        ['publish', { ...publish, stream: 'two', type: 'record' }],
      ],
    },
  ],
  'Flash publishes; its next command ends it': [
    flashConnect,
    createStream,
    {
      say: [1, 'publish', 0, null, 'one', 'live'],
      answers: [publishStart],
      told: [['publish', { ...publish, style: 'flash' }]],
    },
    { say: [0, 'createStream', 5, null], answers: [['_result', 0, 5, null, 2]] },
    { say: [2, 'closeStream', 0, null] },
    {
      say: [1, 'attachVideo', 0, null, false],
      told: [
        ['unpublish', 1],
        ['call', 'attachVideo', false],
      ],
    },
    {
      say: [1, 'publish', 0, null, 'one', 'append'],
      answers: [publishStart],
      told: [['publish', { ...publish, type: 'append', style: 'flash' }]],
    },
    { say: [1, 'publish', 0, null, false], told: [['unpublish', 1]] },
  ],
  'Haivision publishes': [
    ffmpegConnect,
    { say: [0, '_checkbw', 2, null], answers: [['_result', 0, 2, null, null]] },
    createStream,
    fcPublish,
    {
      ...publishLive,
      told: [['publish', { ...publish, style: 'haivision' }]],
    },
    fcUnpublish,
  ],
  'an encoder that publishes on message stream 0': [
    ffmpegConnect,
    releaseStream,
    fcPublish,
    createStream,
    { ...publishLive, say: [0, 'publish', 5, null, 'one', 'live'] },
  ],
  'ffplay plays': [
    ffmpegConnect,
    { say: [0, 'createStream', 2, null], answers: [['_result', 0, 2, null, 1]] },
    { say: [0, 'getStreamLength', 3, null, 'one'], answers: [['_result', 0, 3, null, 0]] },
    {
      say: [1, 'play', 4, null, 'one', -2000],
      answers: playStarted('one'),
      told: [['play', { ...play, start: -2000 }]],
    },
    { say: [0, 'deleteStream', 5, null, 1], told: [['stop', 1]] },
  ],
  'rtmpdump subscribes and plays': [
    ffmpegConnect,
    createStream,
    {
      say: [0, 'FCSubscribe', 5, null, 'one'],
      answers: [
        ['_result', 0, 5, null, undefined],
        [
          'onFCSubscribe',
          0,
          0,
          null,
          { level: 'status', code: 'NetStream.Play.Start', description: 'Started playing stream.' },
        ],
      ],
    },
    { say: [0, '_checkbw', 6, null], answers: [['_result', 0, 6, null, null]] },
    {
      say: [1, 'play', 7, null, 'one', 0, 1000],
      answers: playStarted('one'),
      told: [['play', { ...play, start: 0, duration: 1000 }]],
    },
  ],
  'Flash plays, pauses, goes on and closes': [
    flashConnect,
    createStream,
    playLive,
    { say: [1, 'receiveAudio', 0, null, false], told: [['call', 'receiveAudio', false]] },
    {
      say: [1, 'pause', 0, null, true, 1200],
      answers: [
        [
          'onStatus',
          1,
          0,
          null,
          { level: 'status', code: 'NetStream.Pause.Notify', description: 'Paused stream.', clientid },
        ],
        ['stream-eof', 1],
      ],
      told: [['pause', 1, true]],
    },
    {
      say: [1, 'pause', 0, null, false, 1200],
      answers: [
        [
          'onStatus',
          1,
          0,
          null,
          { level: 'status', code: 'NetStream.Unpause.Notify', description: 'Unpaused stream.', clientid },
        ],
        ['stream-begin', 1],
      ],
      told: [['pause', 1, false]],
    },
    { say: [1, 'closeStream', 0, null], told: [['stop', 1]] },
    { say: [1, 'pause', 0, null, true, 0] },
    playLive,
    { say: [1, 'play', 0, null, false], told: [['stop', 1]] },
  ],
  'Flash switches to another stream without a reset': [
    flashConnect,
    createStream,
    playLive,
    {
      say: [1, 'play', 0, null, 'two?vhost=other', -1, -1, false],
      answers: playStarted('two').filter((_message, index) => index !== 1),
      told: [
        ['stop', 1],
        ['play', { ...play, vhost: 'other', stream: 'two', param: '?vhost=other', start: -1, reset: false }],
      ],
    },
  ],
  'calls that the server does not know': [
    ffmpegConnect,
    { say: [0, 'echo', 9, null, 'hello'], answers: [['_result', 0, 9, null, null]] },
    {
      say: [0, 'onSrsBandCheckStartingPlayBytes', 0, null, 'x'],
      told: [['call', 'onSrsBandCheckStartingPlayBytes', 'x']],
    },
    { say: [0, '_result', 9, null, null] },
    { say: [0, '_error', 9, null, null] },
    { say: [0, 'onStatus', 9, null, null] },
    { say: [0, 'deleteStream', 0, null, 7] },
    { say: [7, 'closeStream', 0, null] },
    { say: [0, 'FCUnpublish', 10, null, 'none'], answers: [['_result', 0, 10, null, undefined]] },
  ],
}

describe.each(Object.entries(dialogues))('%s', (_name, steps) => {
  test.each(['a message at once', 'a byte at a time'])('%s', (how) => {
    const client = new ScriptedClient()
    if (how === 'a byte at a time') splitPushes(client)
    client.handshake()
    expect(client.told()).toEqual([['handshake', 'simple']])
    expect(client.answers()).toEqual([])
    for (const step of steps) {
      client.command(...step.say)
      expect(client.answers(), step.say[1]).toEqual(step.answers ?? [])
      expect(client.told(), step.say[1]).toEqual(step.told ?? [])
    }
    expect(client.session.state).toBe('ready')
  })
})

function splitPushes(client: ScriptedClient): void {
  const { session } = client
  const push = session.push.bind(session)
  session.push = (bytes) => {
    for (let at = 0; at < bytes.length; at++) push(bytes.subarray(at, at + 1))
  }
}

test('the argument behind the command object is passed on if it is an object', () => {
  for (const [args, passed] of [
    [amfObject({ srs_id: 5 }), { srs_id: 5 }],
    [amfEcmaArray({ srs_id: 5 }), { srs_id: 5 }],
    ['a string', null],
    [7, null],
    [null, null],
  ] as const) {
    const client = new ScriptedClient().handshake().command(0, 'connect', 1, connectObject, args)
    expect(client.told()[1]).toEqual(['connect', expect.objectContaining({ args: passed })])
  }
})

test('no identity, another chunk size', () => {
  const client = new ScriptedClient('accept', { identity: {}, chunkSize: 128, windowAckSize: 5000 })
  client.handshake().command(0, 'connect', 1, connectObject)
  const answers = client.answers()
  expect(answers.slice(0, 3)).toEqual([
    ['window-ack-size', 5000],
    ['set-peer-bandwidth', 5000, 2],
    ['set-chunk-size', 128],
  ])
  expect(answers[3]?.[4]).toMatchObject({ data: { version: '3,5,3,888' } })
})
