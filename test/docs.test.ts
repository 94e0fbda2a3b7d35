import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** What GitHub makes of a heading for a link to lead to. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-')
}

/** Code is left out: it may show links, and comments that look like headings. */
function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
}

function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ +(.+)$/gm)].map(([, heading]) => anchorOf(heading!))
}

test.each(pages)('every link in %s leads somewhere', (page) => {
  const links = [...textOf(page).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
  const broken = links.flatMap(([, path = '', anchor]) => {
    const target = path === '' ? page : join(dirname(page), path)
    if (!existsSync(join(root, target))) return [target]
    const isThere = anchor === undefined || anchorsOf(target).includes(anchor)
    return isThere ? [] : [`${target}#${anchor}`]
  })
  expect(broken).toStrictEqual([])
})
