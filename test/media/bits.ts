/** Bytes of a text of zeros and ones, filled up with zeros. */
export function bits(text: string): Buffer {
  const digits = text.replaceAll(' ', '')
  const bytes = Buffer.alloc(Math.ceil(digits.length / 8))
  for (let index = 0; index < digits.length; index += 1) {
    if (digits[index] === '1') bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (0x80 >> (index & 7))
  }
  return bytes
}

/** The Exp-Golomb code of a number (H.264 9.1): its successor in binary, behind one zero less than it has digits. */
export function expGolomb(value: number): string {
  const digits = (value + 1).toString(2)
  return '0'.repeat(digits.length - 1) + digits
}
