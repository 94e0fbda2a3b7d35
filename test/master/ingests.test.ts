import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Ingests, ingestPrograms } from '../../src/master/ingests.ts'
import { configOf } from '../support/config.ts'
import { recordingLogger, silentLogger } from '../support/logger.ts'

/** Does nothing, whatever it is told. */
const fakeFfmpeg = fileURLToPath(new URL('../support/fake-ffmpeg.sh', import.meta.url))
const waitOptions = { timeout: 10_000, interval: 10 }
const vhost = '__defaultVhost__'
const own = 'rtmp://127.0.0.1:1935'
const mark = 'weir_own=ingest.s3cret'

function programsOf(ingest: string) {
  const { logger, lines } = recordingLogger()
  const config = configOf(`ff_log_dir ./log; vhost ${vhost} { ingest cam { enabled on; ${ingest} } }`)
  const programs = ingestPrograms(config, 's3cret', logger).map(({ name, command }) => {
    const { programs, args, logFile } = command
    const at = args.findIndex((argument) => argument.endsWith('/ingest/main.js'))
    const isOwn = programs[0] === process.execPath
    const from = isOwn ? at + 1 : args.indexOf('-loglevel') + 2
    return { name, program: isOwn ? 'weir' : programs.join(' '), args: args.slice(from).join(' '), logFile }
  })
  return { programs, codes: lines.map(({ code }) => code) }
}

const copy = '-vcodec copy -acodec copy -f flv -y'
const standard = `${own}/live?vhost=${vhost}/cam?${mark}`

test.each<[string, string, string]>([
  // Weir reads an FLV file itself, unless it is told otherwise.
  ['input { url x.flv; }', 'weir', `x.flv ${standard} cam`],
  [
    'input { url /a/x.FLV; } engine { enabled off; vcodec libx264; acodec aac; output rtmp://o/a/b; }',
    'weir',
    '/a/x.FLV rtmp://o/a/b cam',
  ],
  ['input { url x.flv; } engine { enabled on; vcodec copy; acodec copy; }', 'weir', `x.flv ${standard} cam`],
  ['ffmpeg internal; input { url recording; }', 'weir', `recording ${standard} cam`],
  // As SRS has it.
  [
    'ffmpeg ./objs/ffmpeg/bin/ffmpeg; input { type file; url ./x.flv; } engine { enabled off; output rtmp://127.0.0.1:[port]/live?vhost=[vhost]/livestream; }',
    './objs/ffmpeg/bin/ffmpeg ffmpeg',
    `-re -stream_loop -1 -i ./x.flv ${copy} ${own}/live?vhost=${vhost}/livestream?${mark}`,
  ],
  ['input { url x.mp4; }', 'ffmpeg', `-re -stream_loop -1 -i x.mp4 ${copy} ${standard}`],
  ['input { url http://h/x.flv; }', 'ffmpeg', `-re -i http://h/x.flv ${copy} ${standard}`],
  [
    'ffmpeg /opt/ffmpeg; input { type stream; url rtsp://h/x; } engine { enabled on; perfile { rtsp_transport tcp; } vcodec copy; acodec an; output rtmp://cdn.example.com/a/[ingest]_[engine]; }',
    '/opt/ffmpeg',
    '-rtsp_transport tcp -i rtsp://h/x -vcodec copy -an -f flv -y rtmp://cdn.example.com/a/cam_',
  ],
  [
    'input { type stream; url /dev/video0; } engine { enabled on; perfile { f v4l2; } }',
    'ffmpeg',
    `-f v4l2 -i /dev/video0 ${copy} ${standard}`,
  ],
  [
    'input { url x.flv; } engine { enabled on; vcodec libx264; acodec aac; output rtmp://o/a/b?c=d; }',
    'ffmpeg',
    '-re -stream_loop -1 -i x.flv -vcodec libx264 -threads 1 -profile:v main -preset medium -acodec aac -f flv -y rtmp://o/a/b?c=d',
  ],
])('%s', (ingest, program, args) => {
  expect(programsOf(ingest)).toMatchObject({ programs: [{ name: 'cam', program, args }], codes: [] })
})

test('each engine is a program of its own', () => {
  const { programs } = programsOf(
    `input { url x.mp4; } engine a { output ${own}/live/a; } engine b { output ./b.flv; }`,
  )
  expect(programs.map(({ name, logFile }) => [name, logFile])).toEqual([
    ['cam a', `./log/ffmpeg-ingest-${vhost}-cam-a.log`],
    ['cam b', `./log/ffmpeg-ingest-${vhost}-cam-b.log`],
  ])
  expect(programs.map(({ args }) => args.split(' ').at(-1))).toEqual([`${own}/live/a?${mark}`, './b.flv'])
})

test.each([
  'input { }',
  'ffmpeg internal; input { type stream; url rtmp://h/a/b; }',
  'ffmpeg internal; input { url x.flv; } engine { enabled on; vcodec libx264; acodec aac; }',
  'ffmpeg internal; input { url x.flv; } engine { output ./y.flv; }',
  'input { url x.mp4; } engine { enabled on; vcodec vn; acodec an; }',
])('%s is told and left out', (ingest) => {
  expect(programsOf(ingest)).toEqual({ programs: [], codes: ['PROGRAM_COMMAND'] })
})

test('what is not enabled is not fetched', () => {
  const config = configOf(
    'vhost a { enabled off; ingest x { enabled on; input { url x.flv; } } } vhost b { ingest x { input { url x.flv; } } }',
  )
  expect(ingestPrograms(config, 's3cret', silentLogger)).toEqual([])
})

test('a reload adds, changes and removes ingests, and touches no other', async () => {
  const ingests = new Ingests(silentLogger, 's3cret')
  onTestFinished(() => ingests.stop())
  const apply = (...names: string[]): void => {
    const sections = names.map(
      (name) =>
        `ingest ${name.split(' ')[0]} { enabled on; ffmpeg ${fakeFfmpeg}; input { url ${name.replace(' ', '')}; } }`,
    )
    ingests.apply(configOf(`ff_log_dir /dev/null; vhost ${vhost} { ${sections.join('\n')} }`))
  }
  const run = (...names: string[]) =>
    vi.waitFor(() => {
      const running = ingests.facts.filter(({ state }) => state === 'running')
      expect(running.map(({ name }) => name)).toEqual(names)
      return new Map(running.map(({ name, pid }) => [name, pid]))
    }, waitOptions)
  apply('a', 'b')
  const before = await run('a', 'b')
  apply('a', 'b 2', 'c')
  const after = await run('a', 'b', 'c')
  expect(after.get('a')).toBe(before.get('a'))
  expect(after.get('b')).not.toBe(before.get('b'))
  apply('c')
  expect((await run('c')).get('c')).toBe(after.get('c'))
  await ingests.stop()
  expect(ingests.facts).toEqual([])
})
