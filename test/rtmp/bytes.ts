/** Bytes written as hexadecimal digits, with spaces and line breaks wherever they help the reader. */
export function hex(digits: string): Buffer {
  const plain = digits.replace(/\s+/g, '')
  const bytes = Buffer.from(plain, 'hex')
  if (bytes.length * 2 !== plain.length) throw new Error(`not hexadecimal: ${digits}`)
  return bytes
}

/** Bytes cut after every `size` of them; the last piece may be shorter. */
export function pieces(bytes: Buffer, size: number): Buffer[] {
  const cut: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) cut.push(bytes.subarray(at, at + size))
  return cut
}
