/** The next `count` items of an iterator, which can be taken from again. */
export function take<T>(items: Iterator<T, unknown, undefined>, count: number): T[] {
  const taken: T[] = []
  while (taken.length < count) {
    const { done, value } = items.next()
    if (done) break
    taken.push(value as T)
  }
  return taken
}
