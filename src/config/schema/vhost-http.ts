/** HTTP of a virtual host: files, live streams, and the callbacks. */
import { type About, section, since1, since2, since6 } from './declare.ts'
import { decimal, duration, flag, hookErrors, integer, lists, path, text, urls } from './lines.ts'

export const httpStatic = section(
  'Serves files of a directory.',
  { ...since2, formerly: { 'vhost/http': { srs: [1] } } },
  {
    enabled: flag('off', 'Whether files are served.', { ...since2, acted: true }),
    mount: text('[vhost]/', 'a host and path', 'The address that the directory appears at.', {
      ...since2,
      acted: true,
    }),
    dir: path('./objs/nginx/html', 'The directory.', { ...since2, acted: true }),
  },
)

export const httpRemux = section('Serves live streams over HTTP and WebSocket.', since2, {
  enabled: flag('off', 'Whether live streams are served.', { ...since2, acted: true }),
  fastCache: decimal(
    '0',
    { min: 0, max: 3600, unit: 's' },
    'How much sound a new listener of .aac and .mp3 gets at once.',
    { ...since2, acted: true },
  ),
  mount: lists(
    '[vhost]/[app]/[stream].flv',
    'a host and path with [app] and [stream] in it that ends in .flv, .ts, .aac or .mp3',
    'The address that streams appear at, over HTTP and WebSocket; its ending says the format. May be given several times (SRS: once).',
    { ...since2, acted: true },
  ),
  hstrs: flag('on', 'Lets a request wait for a stream that is not there yet.', { srs: [2], acted: true }),
  hstrsTimeout: duration(
    '5',
    { min: 0.1, max: 3600 },
    'How long such a request waits before it is answered with 404.',
    { acted: true },
  ),
  dropIfNotMatch: flag('on', 'Leaves out what has_audio or has_video says that there is not.', {
    ...since6,
    acted: true,
  }),
  hasAudio: flag('on', 'Announces audio, when guess_has_av is off.', { ...since6, acted: true }),
  hasVideo: flag('on', 'Announces video, when guess_has_av is off.', { ...since6, acted: true }),
  guessHasAv: flag('on', 'Finds out from the stream which of the two it has.', { ...since6, acted: true }),
})

/** Acted on; with the versions of SRS that have it. */
const acted1: About = { ...since1, acted: true }
const acted2: About = { ...since2, acted: true }
const acted12: About = { srs: [1, 2], acted: true }
const own: About = { acted: true }

export const httpHooks = section('Asks and tells other servers what clients do.', since1, {
  enabled: flag('off', 'Whether the calls are made.', acted1),
  onConnect: urls('Asked when a client connects.', {
    ...acted12,
    example: 'http://127.0.0.1:8085/api/v1/clients',
  }),
  onClose: urls('Told when a client has gone.', {
    ...acted12,
    example: 'http://127.0.0.1:8085/api/v1/clients',
  }),
  onPublish: urls('Asked when a client publishes.', {
    ...acted1,
    example: 'http://127.0.0.1:8085/api/v1/streams',
  }),
  onUnpublish: urls('Told when a publish has ended.', {
    ...acted1,
    example: 'http://127.0.0.1:8085/api/v1/streams',
  }),
  onPlay: urls('Asked when a client plays.', {
    ...acted1,
    example: 'http://127.0.0.1:8085/api/v1/sessions',
  }),
  onStop: urls('Told when a play has ended.', {
    ...acted1,
    example: 'http://127.0.0.1:8085/api/v1/sessions',
  }),
  onDvr: urls('Told when a recording is complete.', {
    ...acted2,
    example: 'http://127.0.0.1:8085/api/v1/dvrs',
  }),
  onHls: urls('Told when an HLS segment is complete.', {
    ...acted2,
    example: 'http://127.0.0.1:8085/api/v1/hls',
  }),
  onHlsNotify: urls('Fetched when an HLS segment is complete, to have a CDN load it.', {
    ...acted2,
    example: 'http://127.0.0.1:8085/api/v1/hls/[app]/[stream]/[ts_url][param]',
  }),
  hookTimeout: duration('5', { min: 0.1, max: 60 }, 'How long one call may take.', own),
  hookRetry: integer(
    '5',
    { min: 0, max: 100 },
    'How often a call that only tells is tried again, later and later, when it fails.',
    own,
  ),
  hookOnError: hookErrors(
    'What becomes of a client when a server that is asked does not answer; may be given several times (default: refuse).',
    { ...own, example: 'on_play accept' },
  ),
  hookSecret: text(
    '',
    'any text',
    'Signs the calls, so that a server can trust them; none: they are not signed.',
    {
      ...own,
      example: 'secret',
    },
  ),
})
