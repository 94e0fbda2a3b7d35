/** Charts as SVG, readable on light and dark pages. */

export interface Bar {
  readonly label: string
  readonly value: number
}

/** A value over time. */
export interface Line {
  readonly label: string
  /** Seconds and value. */
  readonly points: readonly (readonly [number, number])[]
}

/** An SVG file to be. */
export interface Chart {
  /** As in `fan-out.svg`. */
  readonly file: string
  readonly title: string
  readonly svg: string
}

const width = 720
const labelWidth = 260
const barHeight = 22
const lineHeight = 34
const top = 44
const plotHeight = 220

/** Text takes the page's colour scheme; bars have a colour that both carry. */
const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.axis { stroke: #8c959f; stroke-width: 1 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>`

const firstColour = '#2f81f7'
const otherColours = ['#8b949e', '#d29922', '#3fb950', '#a371f7', '#f85149']

/** Horizontal bars from 0; the first label's kind, up to the comma, has a colour of its own. */
export function barChart(file: string, title: string, unit: string, bars: readonly Bar[]): Chart {
  const largest = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const room = width - labelWidth - 90
  const own = bars[0]?.label.split(',')[0]
  const rows = bars.map(({ label, value }, index) => {
    const y = top + index * lineHeight
    const length = Math.max(1, (value / largest) * room)
    const colour = label.split(',')[0] === own ? firstColour : otherColours[0]!
    return [
      `<text x="${labelWidth - 10}" y="${y + 15}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2" fill="${colour}"/>`,
      `<text x="${(labelWidth + length + 8).toFixed(1)}" y="${y + 15}">${escapeText(shorten(value))}</text>`,
    ].join('\n')
  })
  const height = top + bars.length * lineHeight + 6
  return { file, title, svg: document(height, `${title} (${unit})`, rows) }
}

/** Lines over time, from 0 up. */
export function lineChart(file: string, title: string, unit: string, lines: readonly Line[]): Chart {
  const points = lines.flatMap((line) => line.points)
  const end = Math.max(...points.map(([time]) => time), 1)
  const largest = Math.max(...points.map(([, value]) => value), 1)
  const left = 60
  const room = width - left - 150
  const x = (time: number): number => left + (time / end) * room
  const y = (value: number): number => top + plotHeight * (1 - value / largest)
  const axes = [
    `<path class="axis" fill="none" d="M${left} ${top}V${top + plotHeight}H${left + room}"/>`,
    `<text x="${left - 8}" y="${top + 5}" text-anchor="end">${shorten(largest)}</text>`,
    `<text x="${left - 8}" y="${top + plotHeight}" text-anchor="end">0</text>`,
    `<text x="${left + room}" y="${top + plotHeight + 18}" text-anchor="end">${shorten(end)} s</text>`,
  ]
  const drawn = lines.map(({ label, points: own }, index) => {
    const colour = [firstColour, ...otherColours][index % (otherColours.length + 1)]!
    const path = own.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join('L')
    const legendY = top + 12 + index * 22
    return [
      `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<rect x="${left + room + 14}" y="${legendY - 9}" width="10" height="10" fill="${colour}"/>`,
      `<text x="${left + room + 30}" y="${legendY}">${escapeText(label)}</text>`,
    ].join('\n')
  })
  return { file, title, svg: document(top + plotHeight + 30, `${title} (${unit})`, [...axes, ...drawn]) }
}

function document(height: number, title: string, parts: readonly string[]): string {
  const box = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  const heading = `<text class="title" x="10" y="24">${escapeText(title)}</text>`
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img">`
  return `${[opening, style, heading, ...parts, '</svg>'].join('\n')}\n`
}

function shorten(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
