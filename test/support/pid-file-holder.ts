/**
 * A process that stands for a master: for each line on its standard input, the path of a pid file, it tries to be
 * the one that holds it, and answers `held` or the code of its error. `release` gives up the one it holds.
 */
import { createInterface } from 'node:readline'
import { codeOf } from '../../src/base/errors.ts'
import { PidFile } from '../../src/master/pid-file.ts'

let file: PidFile | null = null

async function answerTo(line: string): Promise<string> {
  if (line === 'release') {
    await file?.remove()
    file = null
    return 'released'
  }
  try {
    file = await PidFile.acquire(line)
    return 'held'
  } catch (error) {
    return codeOf(error)
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(await answerTo(line))
