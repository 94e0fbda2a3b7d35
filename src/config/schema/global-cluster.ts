/** The origin cluster: several servers that share their streams. Weir's own; a vhost's `cluster` is another thing, SRS's. */
import { type TString, String as TypeString } from 'typebox'
import { type Line, section } from './declare.ts'
import { duration, flag, text, word } from './lines.ts'

const acted = { acted: true }

function matching(pattern: RegExp, line: Line<TString>): Line<TString> {
  return { ...line, schema: TypeString({ ...line.schema, pattern: pattern.source }) }
}

export const originCluster = section(
  'Shares streams with other servers: each stream has one of them as its owner, and all of them play it.',
  {},
  {
    registry: word(
      'memory',
      ['memory', 'redis'],
      'Where is written which server owns a stream. memory: nowhere, this server works alone.',
      acted,
    ),
    redis: text(
      'redis://127.0.0.1:6379',
      'a URL that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://',
      'The Redis (or Valkey) that the servers share, see docs/cluster.md.',
      acted,
    ),
    prefix: matching(
      /^[\w.:-]{1,64}$/,
      text(
        'weir',
        'up to 64 letters, digits, ".", ":", "_" and "-"',
        'What all names in Redis begin with: the same for the servers of one cluster, another for each cluster.',
        acted,
      ),
    ),
    node: matching(
      /^[\w.-]{0,64}$/,
      text(
        '',
        'up to 64 letters, digits, ".", "_" and "-"',
        'The name of this server, which no other server of the cluster may have.',
        { ...acted, example: 'origin-1' },
      ),
    ),
    advertise: matching(
      /^(rtmps?:\/\/[^\s/?#@]+)?$/,
      text(
        '',
        'rtmp:// or rtmps://, an address and a port',
        'Where the other servers, and with `redirect` the clients, reach this one over RTMP.',
        { ...acted, example: 'rtmp://192.0.2.1:1935' },
      ),
    ),
    advertiseHttp: matching(
      /^(https?:\/\/[^\s/?#@]+)?$/,
      text(
        '',
        'http:// or https://, an address and a port',
        'Where the other servers reach the HTTP server of this one.',
        { ...acted, example: 'http://192.0.2.1:8080' },
      ),
    ),
    secret: matching(
      /^(\S{16,256})?$/,
      text(
        '',
        'a word of 16 characters or more',
        'What the servers know each other by, the same for all: with it they let each other have streams for which players are checked.',
        { ...acted, example: 'a-word-of-your-own' },
      ),
    ),
    redirect: flag(
      'off',
      'Sends clients to the server that owns their stream (RTMP 302), instead of pulling the stream from there.',
      acted,
    ),
    lease: duration(
      '6',
      { min: 1, max: 300 },
      'How long a stream stays with a server that is not heard of any more.',
      acted,
    ),
    redisTimeout: duration(
      '1',
      { min: 0.02, max: 10 },
      'How long Redis may take to answer a look-up. Silent for three times as long (10 s at most) it is away; a publish is not held up for longer.',
      acted,
    ),
  },
)
