/** The sections outside of virtual hosts: HTTP servers, heartbeat, statistics, stream casters. */
import { type About, section, since1, since2, since6 } from './declare.ts'
import { decimal, duration, endpoints, flag, integer, list, path, size, text } from './lines.ts'

export const heartbeat = section('Tells another server regularly that this one lives.', since1, {
  enabled: flag('off', 'Whether heartbeats are sent.', { ...since1, acted: true }),
  interval: decimal('9.9', { min: 0.1, max: 86_400, unit: 's' }, 'Time between two heartbeats.', {
    ...since1,
    acted: true,
  }),
  url: text('http://127.0.0.1:8085/api/v1/servers', 'a URL', 'Where heartbeats are posted to.', {
    ...since1,
    acted: true,
  }),
  deviceId: text('', 'any text', 'The name that this server gives itself in a heartbeat.', {
    ...since1,
    acted: true,
    example: 'my-server',
  }),
  summaries: flag('off', 'Adds what the API says under /api/v1/summaries.', { ...since1, acted: true }),
  ports: flag('off', 'Adds the ports this server listens on.', { ...since6, acted: true }),
})

export const stats = section('What the API tells about the machine.', since1, {
  enabled: flag('on', 'Whether statistics of the machine are gathered.', since6),
  network: integer(
    '0',
    { min: 0, max: 255 },
    'Which IPv4 address of the machine is told, by the API and in heartbeats, counted from 0 without loopback.',
    {
      ...since1,
      acted: true,
    },
  ),
  disk: list('', 'names of disks', 'The disks whose business is reported.', {
    ...since1,
    acted: true,
    example: 'sda sdb',
  }),
})

function https(listen: string) {
  const acted6: About = { ...since6, acted: true }
  return section('The same over TLS. The files are read again with each reload.', acted6, {
    enabled: flag('off', 'Whether TLS is served.', acted6),
    listen: endpoints(listen, 'The addresses to listen on.', acted6),
    key: path('./conf/server.key', 'The private key, PEM.', acted6),
    cert: path('./conf/server.crt', 'The certificate with its chain, PEM.', acted6),
  })
}

export const httpApi = section('The HTTP API.', since1, {
  enabled: flag('off', 'Whether the API is served.', { ...since1, acted: true }),
  listen: endpoints('1985', 'The addresses to listen on; they may be those of http_server.', {
    ...since1,
    acted: true,
  }),
  crossdomain: flag(
    'on',
    'Lets pages of other sites read it (CORS); with a password or token that they name, change things too.',
    { ...since2, acted: true },
  ),
  origins: list(
    '',
    'one or more origins',
    'Pages that may change things without a password, beside the own pages of this server.',
    { acted: true, example: 'https://console.example.com' },
  ),
  pages: flag('on', 'Serves the console, the player and the publish page there.', { acted: true }),
  rawApi: section('Calls that change the server.', since6, {
    enabled: flag('off', 'Whether these calls are served.', since6),
    allowReload: flag('off', 'Whether the call that reloads the configuration is served.', since6),
  }),
  allowMethodParam: flag(
    'off',
    'Takes `?method=DELETE` of a GET for the method, as SRS does: its console needs it. Any page can make a browser send a GET.',
    { acted: true },
  ),
  auth: section('Who may use the API.', since6, {
    enabled: flag('off', 'Whether a password or a token is asked for.', { ...since6, acted: true }),
    username: text('', 'any text without a colon', 'The user name.', {
      ...since6,
      acted: true,
      example: 'admin',
    }),
    password: text('', 'any text', 'The password; without one, only tokens are accepted.', {
      ...since6,
      acted: true,
      example: 'secret',
    }),
    tokens: list('', 'one or more tokens', 'Bearer tokens, each as good as the password: for programs.', {
      acted: true,
      example: '6n3vq0dzl7c2 x81ek5wjr04t',
    }),
  }),
  https: https('1990'),
})

export const httpServer = section(
  'The HTTP server for files and live streams.',
  { ...since2, formerly: { http_stream: { srs: [1] } } },
  {
    enabled: flag('off', 'Whether HTTP is served.', { ...since2, acted: true }),
    listen: endpoints('8080', 'The addresses to listen on.', { ...since2, acted: true }),
    dir: path('./objs/nginx/html', 'The directory of files that are served.', { ...since2, acted: true }),
    crossdomain: flag('on', 'Lets pages of other sites use it (CORS).', { ...since6, acted: true }),
    pages: flag(
      'on',
      'Serves the console, the player and the publish page, where `dir` has no file of that name.',
      { acted: true },
    ),
    vod: section(
      'Serves recordings (FLV, MP4) as HLS: FILE/index.m3u8; and FLV as MP4: FILE.flv?format=mp4.',
      {},
      {
        enabled: flag('off', 'Whether recordings are served so.', { acted: true }),
        mount: text('/vod', 'a path', 'Where recordings appear as HLS, beside their own address.', {
          acted: true,
        }),
        fragment: duration('6', { min: 1, max: 60 }, 'Length of a segment, if key frames allow.', {
          acted: true,
        }),
        threads: integer(
          '2',
          { min: 1, max: 64 },
          'Threads of each HTTP worker that cut recordings; they end when there is nothing to do.',
          { acted: true },
        ),
        queue: integer(
          '64',
          { min: 1, max: 10_000 },
          'How much may wait for a thread; what is asked for beyond is answered with 503.',
          { acted: true },
        ),
        cacheSize: size(
          '64m',
          { min: '0', max: '16g' },
          'Segments that each HTTP worker keeps in memory for whoever asks next.',
          { acted: true },
        ),
      },
    ),
    https: https('8088'),
  },
)

export const rtmps = section(
  'RTMP over TLS, beside the plain addresses of `listen`. The files are read again with each reload.',
  {},
  {
    enabled: flag('off', 'Whether TLS is served.', { acted: true }),
    listen: endpoints('1443', 'The addresses to listen on; clients look for RTMPS at port 443.', {
      acted: true,
    }),
    cert: path('./conf/server.crt', 'The certificate with its chain, PEM.', { acted: true }),
    key: path('./conf/server.key', 'The private key, PEM.', { acted: true }),
  },
)

export const streamCaster = section(
  'Takes streams of other protocols and publishes them here.',
  since2,
  {
    enabled: flag('off', 'Whether this caster runs.', since2),
    caster: text(
      'mpegts_over_udp',
      'mpegts_over_udp, rtsp, flv or gb28181',
      'The protocol it takes.',
      since2,
    ),
    output: text('', 'a URL', 'Where the stream is published.', {
      ...since2,
      example: 'rtmp://127.0.0.1/live/livestream',
    }),
    listen: endpoints('8935', 'The addresses to listen on.', since2),
    rtpPortMin: integer('57200', { min: 1, max: 65_535 }, 'First UDP port for the RTP of rtsp.', {
      srs: [2],
    }),
    rtpPortMax: integer('57300', { min: 1, max: 65_535 }, 'Last UDP port for the RTP of rtsp.', { srs: [2] }),
  },
  { sip: 'SRS 6: the SIP side of gb28181.' },
)

export const exporter = section('Metrics for Prometheus, on an address of their own: /metrics.', since6, {
  enabled: flag('off', 'Whether metrics are served.', { ...since6, acted: true }),
  listen: endpoints('9972', 'The addresses to listen on; nobody is asked for a password there.', {
    ...since6,
    acted: true,
  }),
  label: text('', 'any text', 'What all metrics have as their label `label`.', {
    ...since6,
    acted: true,
    example: 'cn-beijing',
  }),
  tag: text('', 'any text', 'What all metrics have as their label `tag`.', {
    ...since6,
    acted: true,
    example: 'cn-edge',
  }),
})
