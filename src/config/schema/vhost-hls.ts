/** Streams cut into files for delivery over HTTP: HLS, HDS and DASH. */
import { section, since1, since2, since6 } from './declare.ts'
import { decimal, flag, integer, path, text, word } from './lines.ts'

const seconds = { min: 0, max: 86_400, unit: 's' }
const template = 'a path with [vhost], [app], [stream] and the like in it'

export const hls = section('Writes streams as HLS.', since1, {
  enabled: flag('off', 'Whether HLS is written.', since1),
  hlsFragment: decimal('10', seconds, 'The length of a segment, if key frames allow.', since1),
  hlsTdRatio: decimal('1.5', { min: 1, max: 100 }, 'The target duration, in lengths of a segment.', since2),
  hlsAofRatio: decimal(
    '2.0',
    { min: 1, max: 100 },
    'After how many lengths a segment is cut without a key frame.',
    since2,
  ),
  hlsWindow: decimal('60', seconds, 'The length of a playlist.', since1),
  hlsOnError: word(
    'continue',
    ['continue', 'ignore', 'disconnect'],
    'What to do when a segment cannot be written: go on, stop HLS, or close the publisher.',
    since1,
  ),
  hlsPath: path('./objs/nginx/html', 'The directory of playlists and segments.', since1),
  hlsM3u8File: text('[app]/[stream].m3u8', template, 'The playlist, below `hls_path`.', since2),
  hlsTsFile: text('[app]/[stream]-[seq].ts', template, 'A segment, below `hls_path`.', since2),
  hlsTsFloor: flag('off', 'Names segments by the clock, so that servers name them alike.', since2),
  hlsEntryPrefix: text('', 'a URL', 'What playlists put before the names of segments.', {
    ...since2,
    example: 'http://cdn.example.com',
  }),
  hlsStorage: word('disk', ['disk', 'ram', 'both'], 'Where segments are kept.', { srs: [2] }),
  hlsMount: text(
    '[vhost]/[app]/[stream].m3u8',
    template,
    'The address of a playlist that is kept in memory.',
    {
      srs: [2],
    },
  ),
  hlsAcodec: word(
    'aac',
    ['aac', 'mp3', 'an'],
    'The audio codec until the stream tells; an: no audio.',
    since2,
  ),
  hlsVcodec: word(
    'h264',
    ['h264', 'h265', 'vn'],
    'The video codec until the stream tells; vn: no video.',
    since2,
  ),
  hlsCleanup: flag('on', 'Deletes segments that have left the playlist.', since2),
  hlsDispose: integer(
    '0',
    seconds,
    'After how long without a publisher all files are deleted; 0: never.',
    since2,
  ),
  hlsNbNotify: integer(
    '64',
    { min: 0, max: 1_000_000 },
    'How much of an answer to on_hls_notify is read.',
    since2,
  ),
  hlsWaitKeyframe: flag('on', 'Cuts segments at key frames only.', since2),
  hlsCtx: flag('on', 'Counts the viewers of playlists.', since6),
  hlsTsCtx: flag('on', 'Counts the viewers of segments.', since6),
  hlsKeys: flag('off', 'Encrypts segments.', since6),
  hlsFragmentsPerKey: integer('5', { min: 1, max: 1_000_000 }, 'How many segments share a key.', since6),
  hlsKeyFile: text('[app]/[stream]-[seq].key', template, 'The key, below `hls_key_file_path`.', since6),
  hlsKeyFilePath: path('./objs/nginx/html', 'The directory of keys.', since6),
  hlsKeyUrl: text('', 'a URL', 'Where players find the keys.', {
    ...since6,
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
