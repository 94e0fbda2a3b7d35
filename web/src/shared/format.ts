/** Numbers as people read them. Each keeps its width: three digits, so that columns do not jump. */

/** `2.41 Mb/s`. */
export function formatBitrate(bitsPerSecond: number): string {
  return withUnit(bitsPerSecond, 1000, ['b/s', 'kb/s', 'Mb/s', 'Gb/s', 'Tb/s'])
}

/** `1.20 GB`. */
export function formatBytes(bytes: number): string {
  return withUnit(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'])
}

/** `45 s`, `3 min 5 s`, `2 h 4 min`, `6 d 3 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const steps: readonly [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  const first = steps.findIndex(([length]) => whole >= length)
  if (first < 0) return '0 s'
  const [length, unit] = steps[first]!
  const text = `${Math.floor(whole / length)} ${unit}`
  const next = steps[first + 1]
  const rest = next === undefined ? 0 : Math.floor((whole % length) / next[0])
  return rest === 0 || next === undefined ? text : `${text} ${rest} ${next[1]}`
}

/** `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en')
}

/** `12.5 %` of a fraction. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100
  return `${percent.toFixed(percent < 9.95 ? 1 : 0)} %`
}

function withUnit(value: number, step: number, units: readonly string[]): string {
  let rest = Number.isFinite(value) ? Math.max(0, value) : 0
  let unit = 0
  // 999.5 would be written as 1000.
  while (rest >= step - 0.5 && unit < units.length - 1) {
    rest /= step
    unit += 1
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
  return `${rest.toFixed(digits)} ${units[unit]}`
}
