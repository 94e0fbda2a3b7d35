/** Streams cut into files for delivery over HTTP: HLS, HDS and DASH. */
import { type About, section, since1, since2, since6 } from './declare.ts'
import { decimal, flag, integer, path, text, word } from './lines.ts'

const seconds = { min: 0, max: 86_400, unit: 's' }
const template = 'a path with [vhost], [app], [stream] and the like in it'

/** Acted on; with the versions of SRS that have it. */
const acted1: About = { ...since1, acted: true }
const acted2: About = { ...since2, acted: true }
const acted6: About = { ...since6, acted: true }

export const hls = section('Writes streams as HLS.', since1, {
  enabled: flag('off', 'Whether HLS is written.', acted1),
  hlsFragment: decimal(
    '10',
    { min: 0.1, max: 86_400, unit: 's' },
    'The length of a segment, if key frames allow.',
    acted1,
  ),
  hlsTdRatio: decimal(
    '1.5',
    { min: 1, max: 100 },
    'The target duration, in lengths of a segment; a longer segment raises it.',
    acted2,
  ),
  hlsAofRatio: decimal(
    '2.0',
    { min: 1, max: 100 },
    'After how many lengths a segment is cut at audio without a key frame.',
    acted2,
  ),
  hlsWindow: decimal('60', seconds, 'The length of a playlist, which has three segments at least.', acted1),
  hlsOnError: word(
    'continue',
    ['continue', 'ignore', 'disconnect'],
    'What to do when a segment cannot be written: try the next one, stop HLS until the stream is published again, or close the publisher.',
    acted1,
  ),
  hlsPath: path('./objs/nginx/html', 'The directory of playlists and segments.', acted1),
  hlsM3u8File: text('[app]/[stream].m3u8', template, 'The playlist, below `hls_path`.', acted2),
  hlsTsFile: text(
    '[app]/[stream]-[seq].ts',
    template,
    'A segment, below `hls_path`; it needs `[seq]` or `[timestamp]`.',
    acted2,
  ),
  hlsTsFloor: flag(
    'off',
    'Cuts by the clock and numbers its periods in `[timestamp]`, so that servers name segments alike.',
    acted2,
  ),
  hlsEntryPrefix: text('', 'a URL', 'What playlists put before the names of segments.', {
    ...acted2,
    example: 'http://cdn.example.com',
  }),
  hlsStorage: word(
    'disk',
    ['disk', 'ram', 'both'],
    'Where segments are kept: as files below `hls_path`, in memory alone, or as files that are served at `hls_mount`.',
    { srs: [2], acted: true },
  ),
  hlsMount: text(
    '[vhost]/[app]/[stream].m3u8',
    'a host, and a path with [app] and [stream] in it',
    'Where `http_server` has the playlist with `hls_storage ram` and `both`.',
    { srs: [2], acted: true },
  ),
  hlsAcodec: word(
    'aac',
    ['aac', 'mp3', 'an'],
    'an: the audio is left out; else the stream tells what it is.',
    acted2,
  ),
  hlsVcodec: word(
    'h264',
    ['h264', 'h265', 'vn'],
    'vn: the video is left out; else the stream tells what it is.',
    acted2,
  ),
  hlsCleanup: flag('on', 'Deletes segments that left the playlist as long ago as it is long.', acted2),
  hlsDispose: integer(
    '0',
    seconds,
    'After how long without a publisher all files of a stream are deleted; 0: never.',
    acted2,
  ),
  hlsNbNotify: integer(
    '64',
    { min: 0, max: 1_000_000 },
    'How many kB of an answer to on_hls_notify are read.',
    acted2,
  ),
  hlsWaitKeyframe: flag('on', 'Cuts segments at key frames only.', acted2),
  hlsCtx: flag('off', 'Counts the viewers of playlists (SRS: on).', since6),
  hlsTsCtx: flag('off', 'Counts the viewers of segments (SRS: on).', since6),
  hlsKeys: flag('off', 'Encrypts segments (AES-128).', acted6),
  hlsFragmentsPerKey: integer('5', { min: 1, max: 1_000_000 }, 'How many segments share a key.', acted6),
  hlsKeyFile: text('[app]/[stream]-[seq].key', template, 'The key, below `hls_key_file_path`.', acted6),
  hlsKeyFilePath: path('./objs/nginx/html', 'The directory of keys.', acted6),
  hlsKeyUrl: text('', 'a URL', 'Where players find the keys; beside the playlist when absent.', {
    ...acted6,
    example: 'https://keys.example.com',
  }),
  hlsDtsDirectly: flag('on', 'Takes timestamps into the segments as they are.', since6),
})

export const hds = section('Writes streams as HDS.', since2, {
  enabled: flag('off', 'Whether HDS is written.', since2),
  hdsFragment: decimal('10', seconds, 'The length of a fragment.', since2),
  hdsWindow: decimal('60', seconds, 'The length of a manifest.', since2),
  hdsPath: path('./objs/nginx/html', 'The directory of manifests and fragments.', since2),
})

export const dash = section('Writes streams as MPEG-DASH.', since6, {
  enabled: flag('off', 'Whether DASH is written.', since6),
  dashFragment: decimal('30', seconds, 'The length of a fragment.', since6),
  dashUpdatePeriod: decimal('150', seconds, 'How often players read the manifest again.', since6),
  dashTimeshift: decimal('300', seconds, 'How far back players may go.', since6),
  dashPath: path('./objs/nginx/html', 'The directory of manifests and fragments.', since6),
  dashMpdFile: text('[app]/[stream].mpd', template, 'The manifest, below `dash_path`.', since6),
  dashWindowSize: integer('5', { min: 1, max: 10_000 }, 'How many fragments a manifest has.', since6),
  dashCleanup: flag('on', 'Deletes fragments that have left the manifest.', since6),
  dashDispose: integer(
    '120',
    seconds,
    'After how long without a publisher all files are deleted; 0: never.',
    since6,
  ),
})
