/**
 * Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`; the markers stay.
 * @throws Error unless the text has each marker once, in this order
 */
export function replaceMarked(text: string, name: string, content: string): string {
  const open = `<!-- ${name} -->`
  const close = `<!-- /${name} -->`
  const [before, rest, ...moreOpen] = text.split(open)
  const [, after, ...moreClose] = rest?.split(close) ?? []
  if (before === undefined || after === undefined || moreOpen.length > 0 || moreClose.length > 0) {
    throw new Error(`the markers ${open} and ${close} must stand in the text once each`)
  }
  return `${before}${open}\n\n${content.trim()}\n\n${close}${after}`
}
