import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../../base/errors.ts'
import { ownProcessTag } from '../../base/process-tag.ts'

/** Opens a new file, or empties an old one; makes its directory if there is none. */
export async function createFile(path: string, mode = 0o666): Promise<FileHandle> {
  try {
    return await open(path, 'w', mode)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return open(path, 'w', mode)
  }
}

/** Writes all of the bytes at the end of what was written. */
export async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at)
    at += bytesWritten
  }
}

/** Puts a file in its place at once, over what was there; makes its directory if there is none. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    await mkdir(dirname(to), { recursive: true })
    await rename(from, to)
  }
}

/** Replaces a file by one with other content: who reads it sees the one or the other, whole. */
export async function replaceFile(path: string, content: string | Buffer, mode = 0o666): Promise<void> {
  const unfinished = `${path}.${ownProcessTag()}.tmp`
  const file = await createFile(unfinished, mode)
  try {
    await writeAll(file, Buffer.from(content))
  } catch (error) {
    await removeFile(unfinished)
    throw error
  } finally {
    await file.close()
  }
  await moveFile(unfinished, path)
}

/** Deletes a file; that there is none is as well. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
