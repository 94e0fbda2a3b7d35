/** One buffer for the reads of all players of a thread: a read's callback runs before the next read begins. */
export const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)
