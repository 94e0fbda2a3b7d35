import { expect, test } from 'vitest'
import { execCommands } from '../../../src/backsource/programs/exec-commands.ts'
import { transcodeCommands } from '../../../src/backsource/programs/transcode-commands.ts'
import type { OutputHost } from '../../../src/backsource/stream-output.ts'
import { splitStreamId } from '../../../src/live/stream-key.ts'
import { configOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'

const vhostName = '__defaultVhost__'
const own = 'rtmp://127.0.0.1:1935'
const output = `${own}/[app]?vhost=[vhost]/[stream]_[engine]`

function setUp(section: string, path = 'live/x', publisherParam = '') {
  const { logger, lines } = recordingLogger()
  const config = configOf(`ff_log_dir ./log; vhost ${vhostName} { ${section} }`)
  const host: OutputHost = {
    stream: `${vhostName}/${path}`,
    logger,
    config,
    publisher: () => ({
      ...splitStreamId(`${vhostName}/${path}`),
      clientId: 'c',
      ip: '',
      param: publisherParam,
    }),
    hooks: { onDvr: () => {}, onHls: () => {} },
    ownToken: 's3cret',
    serverId: 's1',
    origin: () => null,
    isAbsolute: () => expect.unreachable(),
    join: () => expect.unreachable(),
    leave: () => expect.unreachable(),
    disconnect: () => expect.unreachable(),
  }
  return { vhost: config.vhosts[vhostName]!, host, lines }
}

function engine(name: string, more = ''): string {
  return `engine ${name} { enabled on; vcodec copy; acodec copy; output ${output}; ${more} }`
}

/** Input and output of each transcode, by its name. */
function transcodes(section: string, path?: string) {
  const { vhost, host, lines } = setUp(section, path)
  const commands = transcodeCommands(vhost, host).map(({ name, command: { args, logFile } }) => {
    return { name, input: args[args.indexOf('-i') + 1], output: args.at(-1), logFile }
  })
  return { commands, codes: lines.map(({ code }) => code) }
}

test('engines of the virtual host, the application and the stream add up', () => {
  const section = `
    transcode { enabled on; ${engine('a')} ${engine('b', '').replace('enabled on', 'enabled off')} }
    transcode live { enabled on; ${engine('c')} }
    transcode live/x { enabled on; ${engine('d')} }
    transcode live/y { enabled on; ${engine('e')} }
    transcode other { enabled on; ${engine('f')} }`
  expect(transcodes(section).commands.map(({ name }) => name)).toEqual(['a', 'live c', 'live/x d'])
  expect(transcodes(section, 'a/b').commands.map(({ name }) => name)).toEqual(['a'])
  expect(transcodes(section, 'constructor/b').commands.map(({ name }) => name)).toEqual(['a'])
  expect(transcodes(section.replace('transcode live {\n', 'transcode live {')).codes).toEqual([])
})

test('what comes back is marked', () => {
  expect(transcodes(`transcode { enabled on; ${engine('sd')} }`).commands).toEqual([
    {
      name: 'sd',
      input: `${own}/live/x?vhost=${vhostName}&weir_own=transcode.s3cret`,
      output: `${own}/live?vhost=${vhostName}/x_sd?weir_own=transcode.s3cret`,
      logFile: `./log/ffmpeg-encoder-${vhostName}-live-x-sd.log`,
    },
  ])
})

test('what goes to another server is not marked', () => {
  const section = `transcode { enabled on; ${engine('sd').replace(own, 'rtmp://cdn.example.com')} }`
  expect(transcodes(section).commands[0]?.output).toBe(`rtmp://cdn.example.com/live?vhost=${vhostName}/x_sd`)
})

test.each([
  ['live/-f', 'live/-f', 'live?vhost=__defaultVhost__/-f_sd'],
  ['live/$(x)', 'live/%24(x)', 'live?vhost=__defaultVhost__/%24(x)_sd'],
  ['live/a b', 'live/a%20b', 'live?vhost=__defaultVhost__/a%20b_sd'],
  [
    'live/mp4:..?vhost=y&z#',
    'live/mp4%3A..%3Fvhost%3Dy%26z%23',
    'live?vhost=__defaultVhost__/mp4%3A..%3Fvhost%3Dy%26z%23_sd',
  ],
  ['a/b/c/x', 'a%2Fb%2Fc/x', 'a%2Fb%2Fc?vhost=__defaultVhost__/x_sd'],
])('the stream %s is only a name', (path, input, target) => {
  const [command] = transcodes(`transcode { enabled on; ${engine('sd')} }`, path).commands
  expect(command?.input).toBe(`${own}/${input}?vhost=${vhostName}&weir_own=transcode.s3cret`)
  expect(command?.output).toBe(`${own}/${target}?weir_own=transcode.s3cret`)
})

test.each([
  [`${own}/[app]/[stream]`, 'TRANSCODE_LOOP'],
  [`rtmp://localhost/[app]?vhost=nobody/[stream]`, 'TRANSCODE_LOOP'],
  ['""', 'PROGRAM_COMMAND'],
])('an engine that puts out to %s is left out, and the others run', (target, code) => {
  const bad = engine('bad').replace(output, target)
  const { commands, codes } = transcodes(`transcode { enabled on; ${bad} ${engine('sd')} }`)
  expect(codes).toEqual([code])
  expect(commands.map(({ name }) => name)).toEqual(['sd'])
})

test('exec runs its lines with the names of the stream', () => {
  const section =
    'exec { enabled on; publish a [url]; publish b -y [stream] ./[app]/[stream].flv [vhost] [port] [param]; }'
  const { vhost, host } = setUp(section, 'live/-f $(x)', '?key=1&weir_own=ingest.s3cret&b=2')
  const url = `${own}/live/-f%20%24(x)?vhost=${vhostName}&weir_own=exec.s3cret`
  const env = {
    ...{ WEIR_VHOST: vhostName, WEIR_APP: 'live', WEIR_STREAM: '-f $(x)', WEIR_URL: url },
    WEIR_PARAM: '?key=1&&b=2',
  }
  const log = (number: number) => `./log/exec-${vhostName}-live--f $(x)-${number}.log`
  expect(execCommands(vhost, host).map(({ command }) => command)).toEqual([
    { programs: ['a'], args: [url], env, logFile: log(1) },
    {
      programs: ['b'],
      args: ['-y', './-f $(x)', './live/-f $(x).flv', vhostName, '1935', '?key=1&&b=2'],
      env,
      logFile: log(2),
    },
  ])
})

test.each([
  ["sh -c 'echo [stream]'", false],
  ['/bin/bash -lc [stream]', false],
  ["env A=b sh -c 'echo [app]'", false],
  ["sh -c 'echo $1' sh [stream]", true],
  ['sh script.sh [stream]', true],
  ['python3 -c [stream]', true],
])('exec %s runs: %s', (line, runs) => {
  const { vhost, host, lines } = setUp(`exec { enabled on; publish ${line}; }`)
  expect(execCommands(vhost, host)).toHaveLength(runs ? 1 : 0)
  expect(lines.map(({ code }) => code)).toEqual(runs ? [] : ['PROGRAM_COMMAND'])
})

test('what a client sends in its query is no more than text', () => {
  const { vhost, host } = setUp('exec { enabled on; publish a [param]; }', 'live/x', '?a=\0b\n')
  expect(execCommands(vhost, host)[0]?.command.args).toEqual(['?a=b'])
})
