/** Streams between servers: edge to origin, and forwards. SRS 1 and 2 have the cluster's in the vhost itself. */
import { type About, section, since6 } from './declare.ts'
import { duration, flag, httpUrl, list, origins, servers, size, text, urls, word } from './lines.ts'

/** Weir's own. */
const own: About = { acted: true }

const someServers = 'one or more servers, host or host:port'

/** For the connections to other servers over TLS. */
const trust = {
  tlsCa: text(
    '',
    'a path',
    'Certificates (PEM) that those servers have to be signed with that are reached over TLS, instead of the usual authorities.',
    { ...own, example: './conf/ca.crt' },
  ),
  tlsVerify: flag('on', 'Whether servers are refused whose certificate cannot be verified.', own),
}

export const cluster = section('Makes this server an edge of others.', since6, {
  mode: word(
    'local',
    ['local', 'remote'],
    'local: an origin, which has its streams itself; remote: an edge.',
    {
      ...since6,
      acted: true,
      formerly: { 'vhost/mode': { srs: [1, 2] } },
    },
  ),
  origin: origins(
    'The origins that an edge pulls from and pushes to; those with `http://` or `https://` are for HTTP-FLV, to pull from.',
    {
      ...since6,
      acted: true,
      formerly: { 'vhost/origin': { srs: [1, 2] } },
      example: '192.0.2.1:1935 192.0.2.2:1935',
    },
  ),
  tokenTraverse: flag('off', 'Asks the origin about every client of the edge before it is accepted.', {
    ...since6,
    acted: true,
    formerly: { 'vhost/token_traverse': { srs: [1, 2] } },
  }),
  originTimeout: duration(
    '3',
    { min: 0.1, max: 60, unit: 's' },
    'How long an origin may take: to accept a connection, to accept a play, and, where there are others, to send media.',
    own,
  ),
  originRetry: duration(
    '1',
    { min: 0.1, max: 60, unit: 's' },
    'How long an edge waits before it tries the origins anew when it has tried all of them.',
    own,
  ),
  originSilence: duration(
    '5',
    { min: 0.5, max: 300, unit: 's' },
    'A pull that has got nothing for so long goes on at another origin, and so does a push whose origin answers no ping: the network may be cut.',
    own,
  ),
  pullTimeout: duration(
    '10',
    { min: 1, max: 300, unit: 's' },
    'A pull that has got no media for so long ends: the stream is not there.',
    own,
  ),
  absentCache: duration(
    '5',
    { min: 0, max: 300, unit: 's' },
    'How long the origins are not asked again for a stream that was not there.',
    own,
  ),
  pushTimeout: duration(
    '15',
    { min: 0.5, max: 600, unit: 's' },
    'How long the publisher of a stream is kept while no origin takes it; then it is closed.',
    own,
  ),
  pullLinger: duration(
    '5',
    { min: 0, max: 3600, unit: 's' },
    'How long a stream is still pulled that no process wants any more; a process wants it until 10 s after its last player.',
    own,
  ),
  vhost: text('[vhost]', 'the name of a virtual host', 'The virtual host to ask the origin for.', {
    ...since6,
    acted: true,
    formerly: { 'vhost/vhost': { srs: [2] } },
  }),
  debugSrsUpnode: flag('on', 'Tells the origin who the edge is, so that logs can be followed.', {
    ...since6,
    acted: true,
    formerly: { 'vhost/debug_srs_upnode': { srs: [1, 2] } },
  }),
  originCluster: flag('off', 'Shares streams among several origins.', since6),
  coworkers: list('', someServers, 'The HTTP APIs of the other origins.', {
    ...since6,
    example: '192.0.2.2:1985',
  }),
  protocol: text('rtmp', 'a protocol', 'The protocol between edge and origin.', since6),
  followClient: flag('off', 'Takes the protocol of the client for that.', since6),
  hlsOrigin: urls(
    'Servers that have the HLS of this virtual host: playlists and segments are fetched from them, in this order, and kept in memory.',
    { acted: true, example: 'http://192.0.2.1:8080 http://192.0.2.2:8080' },
  ),
  hlsOriginCache: size(
    '128m',
    { min: '1m', max: '64g' },
    'The most that an HTTP worker keeps of that, and half of it the longest segment.',
    { acted: true },
  ),
  hlsOriginTimeout: duration(
    '3',
    { min: 0.1, max: 60 },
    'How long such a server may be silent before the next one is asked.',
    { acted: true },
  ),
  hlsOriginQuery: list(
    'hls_ctx v',
    'one or more names of parameters',
    'What of a query is passed on to such a server; files that differ in these are different files.',
    { acted: true },
  ),
  ...trust,
})

export const forward = section('Sends a copy of every published stream to other servers.', since6, {
  enabled: flag('off', 'Whether streams are forwarded.', { ...since6, acted: true }),
  destination: servers('The servers that get a copy, if there is no `backend`.', {
    ...since6,
    acted: true,
    formerly: { 'vhost/forward': { srs: [1, 2] } },
    example: '192.0.2.3:1935',
  }),
  backend: httpUrl('A server that is asked where to forward each stream to.', {
    ...since6,
    acted: true,
    example: 'http://127.0.0.1:8085/api/v1/forward',
  }),
  ...trust,
})
