import type { Directive } from './parser.ts'
import { defaultVhost } from './vhost-of.ts'

/** Adds the directives that a configuration implies and that no file has to say. */
export function withImplied(directives: readonly Directive[]): readonly Directive[] {
  return inheritChunkSize(withVhost(directives))
}

/** Without any vhost, the default one serves everybody. */
function withVhost(directives: readonly Directive[]): readonly Directive[] {
  if (directives.some(({ name }) => name === 'vhost')) return directives
  const place = { file: '', line: 0, column: 0, written: null }
  const args = [{ ...place, text: defaultVhost }]
  return [...directives, { ...place, name: 'vhost', args, children: [] }]
}

/** A vhost without a chunk size of its own has the global one. */
function inheritChunkSize(directives: readonly Directive[]): readonly Directive[] {
  const global = directives.find(({ name }) => name === 'chunk_size')
  if (!global) return directives
  return directives.map((directive) => {
    if (directive.name !== 'vhost' || !directive.children) return directive
    if (directive.children.some(({ name }) => name === 'chunk_size')) return directive
    return { ...directive, children: [...directive.children, { ...global, written: null }] }
  })
}
