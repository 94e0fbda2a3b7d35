import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProgramLog, programLogFile } from '../../src/programs/program-log.ts'
import { silentLogger } from '../support/logger.ts'
import { tempDir } from '../support/temp-dir.ts'

test('is put aside when it is long, and the one before is given up', async () => {
  const file = join(tempDir(), 'below/a/directory/x.log')
  const log = new ProgramLog(file, silentLogger)
  // 200 kB each: the seventh, the thirteenth … find more than 1 MiB.
  for (let number = 10; number < 25; number += 1) {
    log.write(Buffer.from(`${number} `.repeat(200_000 / 3)))
    await log.flushed()
  }
  expect(readFileSync(file, 'utf8')).toMatch(/^22 .*24 $/)
  expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/^16 .*21 $/)
})

test('a program that writes faster than the disk loses output and no memory', async () => {
  const file = join(tempDir(), 'x.log')
  const log = new ProgramLog(file, silentLogger)
  for (let number = 0; number < 100; number += 1) log.write(Buffer.alloc(100_000, 'x'))
  await log.flushed()
  log.write(Buffer.from('the end'))
  await log.flushed()
  const text = readFileSync(file, 'utf8')
  expect(text.length).toBeLessThan(400_000)
  expect(text).toMatch(/x\n\[\d+ bytes of output were lost here\]\n/)
  expect(text).toMatch(/the end$/)
})

test.each([
  ['./objs', ['ffmpeg-encoder', 'v', 'live/room', 'x', 'sd'], './objs/ffmpeg-encoder-v-live-room-x-sd.log'],
  ['/var/log', ['ffmpeg-ingest', 'v', 'camera', ''], '/var/log/ffmpeg-ingest-v-camera.log'],
  ['/dev/null', ['exec', 'v', 'live', 'x', '1'], null],
])('below %s: %j', (directory, parts, file) => {
  expect(programLogFile(directory, parts)).toBe(file)
})

test('long names fit into a directory and are told apart', () => {
  const [a, b] = ['a', 'b'].map((end) => programLogFile('/x', ['y'.repeat(255), `${'ß'.repeat(127)}${end}`]))
  expect(a).not.toBe(b)
  expect(Buffer.byteLength(a!)).toBeLessThan(250)
})
