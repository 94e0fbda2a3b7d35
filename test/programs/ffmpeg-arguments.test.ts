import { expect, test } from 'vitest'
import { ffmpegArguments, ffmpegPrograms } from '../../src/programs/ffmpeg-arguments.ts'
import { vhostConfigOf } from '../support/config.ts'

const run = { logLevel: 'info', inputOptions: [], input: 'rtmp://in/a/b', output: 'rtmp://out/a/c' }

function argumentsOf(engine: string, changed: Partial<typeof run> = {}): string {
  const config = vhostConfigOf(`transcode { engine x { enabled on; ${engine} } }`).transcode['']?.engine.x
  const args = ffmpegArguments(config!, { ...run, ...changed })
  return args.slice(args.indexOf('info') + 1).join(' ')
}

const both = 'vcodec libx264; acodec aac;'

test.each<[string, string, string]>([
  [
    'everything, in the order of SRS',
    `perfile { re; rtsp_transport tcp; } iformat flv; vfilter { i ./logo.png; filter_complex 'overlay=10:10'; }
     vcodec libx264; vbitrate 1500; vfps 25; vwidth 768; vheight 320; vthreads 12; vprofile main; vpreset medium;
     vparams { t 100; coder 1; } acodec libfdk_aac; abitrate 70; asample_rate 44100; achannels 2;
     aparams { profile:a aac_low; } oformat flv;`,
    '-re -rtsp_transport tcp -f flv -i rtmp://in/a/b -i ./logo.png -filter_complex overlay=10:10 ' +
      '-vcodec libx264 -b:v 1500000 -r 25 -s 768x320 -aspect 768:320 -threads 12 -profile:v main -preset medium -t 100 -coder 1 ' +
      '-acodec libfdk_aac -b:a 70000 -ar 44100 -ac 2 -profile:a aac_low -f flv -y rtmp://out/a/c',
  ],
  [
    'nothing but the codecs',
    both,
    '-f flv -i rtmp://in/a/b -vcodec libx264 -threads 1 -profile:v main -preset medium -acodec aac -f flv -y rtmp://out/a/c',
  ],
  [
    'copies, whose options are the encoders’',
    'vcodec copy; vbitrate 1; vparams { bf 3; } acodec copy; abitrate 1; aparams { profile:a x; bsf:a aac_adtstoasc; }',
    '-f flv -i rtmp://in/a/b -vcodec copy -acodec copy -bsf:a aac_adtstoasc -f flv -y rtmp://out/a/c',
  ],
  [
    'no video',
    'vcodec vn; acodec aac; iformat off; oformat off;',
    '-i rtmp://in/a/b -vn -acodec aac -y rtmp://out/a/c',
  ],
  [
    'no audio, odd sizes, a rate with a fraction',
    'vcodec png; acodec an; vwidth 101; vheight 51; vfps 23.976; vthreads 0;',
    '-f flv -i rtmp://in/a/b -vcodec png -r 23.976 -s 100x50 -aspect 100:50 -profile:v main -preset medium -an -f flv -y rtmp://out/a/c',
  ],
])('an engine with %s', (_, engine, expected) => {
  expect(argumentsOf(engine)).toBe(expected)
})

test('an input that is no RTMP tells itself what it is', () => {
  expect(argumentsOf(both, { input: 'udp://1.2.3.4:2222' })).toMatch(/^-i udp:/)
})

test('nothing is asked of a terminal, and the log level is the configured one', () => {
  expect(ffmpegArguments(null, { ...run, logLevel: 'warning', inputOptions: ['-re'] })).toEqual([
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'warning', '-re', '-i', 'rtmp://in/a/b'],
    ...['-vcodec', 'copy', '-acodec', 'copy', '-f', 'flv', '-y', 'rtmp://out/a/c'],
  ])
  expect(ffmpegArguments(null, { ...run, logLevel: 'off' })).not.toContain('-loglevel')
})

test.each([
  ['vcodec vn; acodec an;', {}],
  ['vcodec libx264;', {}],
  ['acodec aac;', {}],
  [both, { output: '' }],
])('%s cannot be run with %j', (engine, changed) => {
  expect(() => argumentsOf(engine, changed)).toThrow(expect.objectContaining({ code: 'PROGRAM_COMMAND' }))
})

test('where SRS has its FFmpeg, the one of PATH will do', () => {
  expect(ffmpegPrograms('./objs/ffmpeg/bin/ffmpeg')).toEqual(['./objs/ffmpeg/bin/ffmpeg', 'ffmpeg'])
  expect(ffmpegPrograms('/opt/ffmpeg')).toEqual(['/opt/ffmpeg'])
})
