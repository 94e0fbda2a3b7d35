import { expect, test } from 'vitest'
import { expandArgument, expandOutput, hasVariable } from '../../src/programs/variables.ts'

function values(stream: string, app = 'live') {
  return { vhost: 'v', app, stream, port: '1935', param: '?a=b&c="d e', engine: 'sd' }
}

test.each([
  ['./[app]/[stream].flv', 'x', './live/x.flv'],
  ['[stream]', 'x', 'x'],
  ['[stream]', '-f', './-f'],
  ['--name=[stream]', '-f', '--name=-f'],
  ['-[stream]', 'f', '-f'],
  ['[stream]', '$(x)', '$(x)'],
  ['a b [stream]', 'a b', 'a b a b'],
  ['[stream][unknown]', '[app]', '[app][unknown]'],
  ['[stream][constructor]', '..', '..[constructor]'],
])('the argument %s of the stream %s is %s', (template, stream, argument) => {
  expect(expandArgument(template, values(stream))).toBe(argument)
})

test.each([
  ['rtmp://h:[port]/[app]?vhost=[vhost]/[stream]_[engine]', 'x', 'rtmp://h:1935/live?vhost=v/x_sd'],
  ['rtmp://h/[app]/[stream]', '-f', 'rtmp://h/live/-f'],
  ['rtmp://h/[app]/[stream]', '$(x) y?z&#|', 'rtmp://h/live/%24(x)%20y%3Fz%26%23%7C'],
  ['[f=flv]rtmp://h/a|[f=flv]rtmp://h/[stream]', 'x|/etc/y', '[f=flv]rtmp://h/a|[f=flv]rtmp://h/x%7C/etc/y'],
  ['rtmp://h/[app]/[stream][param]', 'x', 'rtmp://h/live/x?a=b&c=%22d%20e'],
  ['./[stream].flv', 'a b', './a b.flv'],
  ['[stream].flv', '-f', './-f.flv'],
  ['[stream].flv', 'tcp:1', './tcp_1.flv'],
  ['[stream].flv', 'x', './x.flv'],
  ['rec_[stream]_%d.png', 'a|b%3d', 'rec_a_b_3d_%d.png'],
])('the output %s of the stream %s is %s', (template, stream, output) => {
  expect(expandOutput(template, values(stream))).toBe(output)
})

test('an application with a slash keeps it', () => {
  expect(expandOutput('rtmp://h/[app]/[stream]', values('x', 'a/b c'))).toBe('rtmp://h/a/b%20c/x')
})

test.each([
  ['x [stream]', true],
  ['[unknown] [x', false],
])('%s has a variable: %s', (template, has) => {
  expect(hasVariable(template, values('x'))).toBe(has)
})
