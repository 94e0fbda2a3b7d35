import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { PageFiles } from '../../../src/http/pages/page-files.ts'
import { tempDir } from '../../support/temp-dir.ts'

async function built() {
  const dir = tempDir()
  await mkdir(join(dir, 'console/assets'), { recursive: true })
  const put = (name: string, bytes: string | Buffer): void => writeFileSync(join(dir, name), bytes)
  put('console/index.html', 'page')
  put('console/assets/a-1.js', 'script')
  put('console/assets/a-1.js.br', brotliCompressSync('script'))
  put('console/assets/a-1.js.gz', gzipSync('script'))
  put('console/notes.md', 'not a page')
  return { files: new PageFiles(dir), put }
}

test('a file comes as the client takes it best', async () => {
  const { files } = await built()
  const encodingOf = async (accepted: string) =>
    (await files.find('console/assets/a-1.js', accepted))?.encoding
  expect(await encodingOf('gzip, deflate, br')).toBe('br')
  expect(await encodingOf('gzip;q=1.0, br;q=0')).toBe('gzip')
  expect(await encodingOf('identity')).toBeNull()
  expect(await encodingOf('')).toBeNull()
  expect((await files.find('console/index.html', 'br'))?.encoding).toBeNull()
})

test('only a name with a hash lasts; each variant has its own tag', async () => {
  const { files } = await built()
  const page = await files.find('console/index.html', '')
  expect(page).toMatchObject({ isImmutable: false, contentType: 'text/html; charset=utf-8' })
  expect(String(page?.bytes)).toBe('page')
  const [plain, br] = await Promise.all(
    ['', 'br'].map((accepted) => files.find('console/assets/a-1.js', accepted)),
  )
  expect(plain).toMatchObject({ isImmutable: true, contentType: 'text/javascript; charset=utf-8' })
  expect(br?.etag).toMatch(/^"[\w-]{16}"$/)
  expect(br?.etag).not.toBe(plain?.etag)
})

test.each(['console/none.js', 'console/notes.md', 'console/assets', '../package.json', ''])(
  '%j is none of the files',
  async (path) => {
    const { files } = await built()
    expect(await files.find(path, 'br')).toBeNull()
  },
)

test('pages that are not built are looked for again', async () => {
  const dir = join(tempDir(), 'web')
  const files = new PageFiles(dir)
  await expect(files.find('x.html', '')).rejects.toThrow('ENOENT')
  await mkdir(dir)
  writeFileSync(join(dir, 'x.html'), 'x')
  expect(String((await files.find('x.html', ''))?.bytes)).toBe('x')
})
