/** A box as a reader sees it. */
export interface ReadBox {
  readonly type: string
  readonly at: number
  /** What is in it. */
  readonly content: Buffer
}

/** The boxes in some bytes, which they fill to the end. */
export function readBoxes(bytes: Buffer): ReadBox[] {
  const boxes: ReadBox[] = []
  let at = 0
  while (at < bytes.length) {
    const size = bytes.readUInt32BE(at)
    if (size < 8 || at + size > bytes.length) throw new Error(`a box of ${size} bytes at ${at}`)
    boxes.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      at,
      content: bytes.subarray(at + 8, at + size),
    })
    at += size
  }
  return boxes
}

/** A box by its path: `find(bytes, 'moov', 'trak', 'mdia')`; of several the first. */
export function find(bytes: Buffer, ...path: readonly string[]): ReadBox {
  const [type, ...rest] = path
  const box = readBoxes(bytes).find((one) => one.type === type)
  if (box === undefined) throw new Error(`no ${type}`)
  return rest.length === 0 ? box : find(box.content, ...rest)
}
