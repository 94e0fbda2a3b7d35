/** What FFmpeg and other programs do for a stream: ingest, transcode, exec. */
import { since1 as inSrs1, since6 as inSrs6, named, parameters, section } from './declare.ts'
import { commands, decimal, flag, integer, path, text, word } from './lines.ts'

const since1 = { ...inSrs1, acted: true }
const since6 = { ...inSrs6, acted: true }

const pixels = { min: 0, max: 65_536 }
const kbps = { min: 0, max: 1_000_000, unit: 'kbps' }

const engine = section('One run of FFmpeg.', since1, {
  enabled: flag('off', 'Whether this engine runs.', since1),
  perfile: parameters('Options before the input.', { ...since6, example: 're' }),
  iformat: text('flv', 'a format of FFmpeg, or off', 'The format of the input.', since1),
  vfilter: parameters('Video filters and what they need.', { ...since1, example: "vf 'crop=iw:ih/2:0:0'" }),
  vcodec: text('', 'a codec of FFmpeg, copy or vn', 'The video encoder; copy: as it is, vn: no video.', {
    ...since1,
    example: 'libx264',
  }),
  vbitrate: integer('0', kbps, 'The bit rate of the video; 0: what the encoder takes.', since1),
  vfps: decimal('0', { min: 0, max: 1000 }, 'Frames per second; 0: as in the input.', since1),
  vwidth: integer('0', pixels, 'Width in pixels; 0: as in the input.', since1),
  vheight: integer('0', pixels, 'Height in pixels; 0: as in the input.', since1),
  vthreads: integer('1', { min: 0, max: 1024 }, 'Threads of the video encoder.', since1),
  vprofile: text('main', 'a profile of the encoder', 'The profile of the video.', since1),
  vpreset: text('medium', 'a preset of the encoder', 'Speed against quality.', since1),
  vparams: parameters('Further options for the video.', { ...since1, example: 'bf 3' }),
  acodec: text('', 'a codec of FFmpeg, copy or an', 'The audio encoder; copy: as it is, an: no audio.', {
    ...since1,
    example: 'aac',
  }),
  abitrate: integer('0', kbps, 'The bit rate of the audio; 0: what the encoder takes.', since1),
  asampleRate: integer(
    '0',
    { min: 0, max: 384_000, unit: 'Hz' },
    'The sample rate; 0: as in the input.',
    since1,
  ),
  achannels: integer('0', { min: 0, max: 64 }, 'The number of channels; 0: as in the input.', since1),
  aparams: parameters('Further options for the audio.', { ...since1, example: 'profile:a aac_low' }),
  oformat: text('flv', 'a format of FFmpeg', 'The format of the output.', since1),
  output: text(
    '',
    'a URL',
    'Where the result is published, with [vhost], [port], [app], [stream] and [engine].',
    {
      ...since1,
      example: 'rtmp://127.0.0.1:[port]/[app]?vhost=[vhost]/[stream]_[engine]',
    },
  ),
})

export const transcode = section(
  'Transcodes the streams of the virtual host, of an app, or one stream (app/stream).',
  { ...since1, example: 'live/livestream' },
  {
    enabled: flag('off', 'Whether streams are transcoded.', since1),
    ffmpeg: path(
      'ffmpeg',
      'The program: a path, or a name to look for in PATH; ./objs/ffmpeg/bin/ffmpeg stands for ffmpeg if it is missing.',
      since1,
    ),
    engine: named({ ...engine, about: { ...since1, example: 'sd' } }, [0, 1]),
  },
)

export const ingest = section(
  'Fetches a stream from elsewhere and publishes it here.',
  { ...since1, example: 'camera' },
  {
    enabled: flag('off', 'Whether the stream is fetched.', since1),
    input: section('What is fetched.', since1, {
      type: word('file', ['file', 'stream'], 'A file is read at its own pace; a stream as it comes.', since1),
      url: text('', 'a path or URL', 'The file, stream or device.', {
        ...since1,
        example: './doc/source.flv',
      }),
    }),
    ffmpeg: path(
      'auto',
      'The program; internal: Weir itself reads an FLV file; auto: Weir where it can and nothing is encoded, else ffmpeg of PATH.',
      since1,
    ),
    engine: named({ ...engine, about: { ...since1, example: 'copy' } }, [0, 1]),
  },
)

export const exec = section('Runs programs when a stream is published.', since6, {
  enabled: flag('off', 'Whether programs are run.', since6),
  publish: commands('A program to run; may be given several times.', {
    ...since6,
    example: './objs/ffmpeg/bin/ffmpeg -f flv -i [url] -c copy -y ./[stream].flv',
  }),
})
