/** HTTP of a virtual host: files, live streams, and the callbacks. */
import { section, since1, since2, since6 } from './declare.ts'
import { decimal, duration, flag, lists, path, text } from './lines.ts'

export const httpStatic = section(
  'Serves files of a directory.',
  { ...since2, formerly: { 'vhost/http': { srs: [1] } } },
  {
    enabled: flag('off', 'Whether files are served.', since2),
    mount: text('[vhost]/', 'a host and path', 'The address that the directory appears at.', since2),
    dir: path('./objs/nginx/html', 'The directory.', since2),
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

const urls = 'one or more URLs'

export const httpHooks = section('Asks and tells other servers what clients do.', since1, {
  enabled: flag('off', 'Whether the calls are made.', since1),
  onConnect: lists('', urls, 'Asked when a client connects.', {
    srs: [1, 2],
    example: 'http://127.0.0.1:8085/api/v1/clients',
  }),
  onClose: lists('', urls, 'Told when a client has gone.', {
    srs: [1, 2],
    example: 'http://127.0.0.1:8085/api/v1/clients',
  }),
  onPublish: lists('', urls, 'Asked when a client publishes.', {
    ...since1,
    example: 'http://127.0.0.1:8085/api/v1/streams',
  }),
  onUnpublish: lists('', urls, 'Told when a publish has ended.', {
    ...since1,
    example: 'http://127.0.0.1:8085/api/v1/streams',
  }),
  onPlay: lists('', urls, 'Asked when a client plays.', {
    ...since1,
    example: 'http://127.0.0.1:8085/api/v1/sessions',
  }),
  onStop: lists('', urls, 'Told when a play has ended.', {
    ...since1,
    example: 'http://127.0.0.1:8085/api/v1/sessions',
  }),
  onDvr: lists('', urls, 'Told when a recording is complete.', {
    ...since2,
    example: 'http://127.0.0.1:8085/api/v1/dvrs',
  }),
  onHls: lists('', urls, 'Told when an HLS segment is complete.', {
    ...since2,
    example: 'http://127.0.0.1:8085/api/v1/hls',
  }),
  onHlsNotify: lists('', urls, 'Fetched when an HLS segment is complete, to have a CDN load it.', {
    ...since2,
    example: 'http://127.0.0.1:8085/api/v1/hls/[app]/[stream]/[ts_url][param]',
  }),
})
