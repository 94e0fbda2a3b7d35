import { type FileHandle, open, rename } from 'node:fs/promises'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { isTagAlive } from '../../base/process-tag.ts'
import { FlvScan, type Whole } from '../../media/dvr/flv-scan.ts'
import { Mp4Scan, maxFragmentHeadBytes } from '../../media/dvr/mp4-scan.ts'
import { type FoundFile, findAll, findLike } from '../../recordings/find.ts'
import { readAt, readStart } from '../../recordings/head.ts'
import { newUnfinishedPath, parseUnfinished, type RecordingNames } from '../../recordings/names.ts'
import { removeFile } from '../disk/files.ts'
import { placeFile, writeAt } from './recording-file.ts'

const readBytes = 1024 * 1024

/** Enough for the front of most fragments. */
const frontBytes = 64 * 1024

/** Recovers what killed processes left of all recordings below a directory. @returns the files */
export async function recoverAll(root: string, logger: Logger): Promise<string[]> {
  return recoverDead(findAll(root), logger)
}

/** Recovers what killed processes left of a stream's recordings. @returns the files */
export function recoverStream(names: RecordingNames, logger: Logger): Promise<string[]> {
  return recoverDead(findLike(names.root, names.patterns(null)), logger)
}

async function recoverDead(files: AsyncIterable<FoundFile>, logger: Logger): Promise<string[]> {
  const recovered: string[] = []
  try {
    for await (const { path, unfinished } of files) {
      if (unfinished === null || isTagAlive(unfinished.tag)) continue
      const file = await recover(path, logger)
      if (file !== null) recovered.push(file)
    }
  } catch (error) {
    logger.warn(
      { code: 'DVR_RECOVER', reason: messageOf(error) },
      'dvr: cannot look for unfinished recordings',
    )
  }
  return recovered
}

/**
 * Makes a whole recording of a file that nobody writes any more, and gives it its name. That it cannot is told in the log,
 * and the file stays.
 * @returns its path; null if there is nothing in it, another process has taken it over, or it cannot be done
 */
export async function recover(path: string, logger: Logger): Promise<string | null> {
  const finalPath = parseUnfinished(path)?.name
  if (finalPath === undefined) return null
  try {
    // Of several processes that find it, this takes it for one.
    const own = newUnfinishedPath(finalPath)
    await rename(path, own)
    const whole = await cutToWhole(own)
    if (whole === null) {
      await removeFile(own)
      logger.info({ file: path }, 'dvr: nothing can be played of what was left of a recording')
      return null
    }
    const file = await placeFile(own, finalPath)
    logger.info({ file, bytes: whole.bytes }, 'dvr: finished what was left of a recording')
    return file
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    logger.warn(
      { code: 'DVR_RECOVER', file: path, reason: messageOf(error) },
      'dvr: what is left of a recording cannot be finished',
    )
    return null
  }
}

/** Cuts off what is not whole, and puts the beginning right. @returns null if nothing is left */
async function cutToWhole(path: string): Promise<Whole | null> {
  const file = await open(path, 'r+')
  try {
    const start = await readStart(file)
    const whole =
      start.toString('latin1', 0, 3) === 'FLV' ? await scanFlv(file, start) : await scanMp4(file, start)
    if (whole === null) return null
    await writeAt(file, whole.head, 0)
    await file.truncate(whole.bytes)
    return whole
  } finally {
    await file.close()
  }
}

async function scanFlv(file: FileHandle, start: Buffer): Promise<Whole | null> {
  const scan = new FlvScan(start)
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, readBytes, at)
    if (bytesRead === 0 || !scan.push(buffer.subarray(0, bytesRead))) return scan.finish()
    at += bytesRead
  }
}

async function scanMp4(file: FileHandle, start: Buffer): Promise<Whole | null> {
  const scan = new Mp4Scan(start, (await file.stat()).size)
  for (let at = scan.next; at !== null; at = scan.next) {
    const front = await readAt(file, at, frontBytes)
    // The size of the box, and the beginning of the data behind it.
    const needed = front.readUInt32BE(0) + 8
    const isLong = needed > front.length && needed <= maxFragmentHeadBytes
    if (!scan.push(isLong ? await readAt(file, at, needed) : front)) break
  }
  return scan.finish()
}
