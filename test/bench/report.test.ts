import { describe, expect, test } from 'vitest'
import { summarize } from '../../bench/cases/sample-summary.ts'
import { barChart, lineChart } from '../../bench/report/chart.ts'
import { markdownTable, targetLine } from '../../bench/report/markdown.ts'
import { replaceMarked } from '../../bench/report/marked-section.ts'
import { atLeast, atMost, format, isMet, ratio, verdict } from '../../bench/report/target.ts'

describe('targets', () => {
  test.each([
    ['at most, reached exactly', atMost('x', 0.2, 0.2), true, 'yes'],
    ['at most, missed', atMost('x', 0.21, 0.2), false, '**no**'],
    ['at least, reached', atLeast('x', 240, 238), true, 'yes'],
    ['at least, missed', atLeast('x', 237, 238), false, '**no**'],
    ['without its peer', atMost('x', null, 0.2), null, 'not measured'],
  ])('%s', (_, target, met, text) => {
    expect(isMet(target)).toBe(met)
    expect(verdict(target)).toBe(text)
  })

  test('a line for the terminal', () => {
    expect(targetLine(atMost('latency p99', 21.337, 20, 'ms'))).toBe(
      'latency p99: 21.3 ms (target ≤ 20 ms): no',
    )
    expect(targetLine(atMost('CPU', null, 2.5))).toBe('CPU: – (target ≤ 2.5): not measured')
  })

  test('a ratio needs both figures', () => {
    expect(ratio(1, 4)).toBe(0.25)
    expect(ratio(1, null)).toBeNull()
    expect(ratio(null, 4)).toBeNull()
    expect(ratio(1, 0)).toBeNull()
  })

  test.each([
    [0, '0'],
    [0.01234, '0.0123'],
    [0.000012, '0'],
    [1.236, '1.24'],
    [12.36, '12.4'],
    [99.96, '100'],
    [12_345.6, '12346'],
    [-2.5678, '-2.57'],
  ])('%f is written %s', (value, text) => {
    expect(format(value)).toBe(text)
  })
})

test('nearest-rank percentiles', () => {
  const samples = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(summarize(samples)).toEqual({ p50: 100, p99: 198, max: 200 })
  expect(summarize([7])).toEqual({ p50: 7, p99: 7, max: 7 })
  expect(() => summarize([])).toThrow()
})

test('a Markdown table', () => {
  const table = markdownTable([
    ['server', 'ms'],
    ['Weir', '3'],
  ])
  expect(table).toBe('| server | ms |\n| --- | --: |\n| Weir | 3 |')
})

describe('marked sections', () => {
  const page = 'a\n<!-- figures -->\nold\n<!-- /figures -->\nb\n'

  test('are replaced, and can be again', () => {
    const once = replaceMarked(page, 'figures', 'new\n')
    expect(once).toBe('a\n<!-- figures -->\n\nnew\n\n<!-- /figures -->\nb\n')
    expect(replaceMarked(once, 'figures', 'new')).toBe(once)
  })

  test.each([
    ['no markers', 'a'],
    ['one marker', 'a <!-- figures --> b'],
    ['the wrong order', '<!-- /figures --> <!-- figures -->'],
    ['two of one', `${page}${page}`],
  ])('%s: an error, not a lost page', (_, text) => {
    expect(() => replaceMarked(text, 'figures', 'new')).toThrow('<!-- figures -->')
  })
})

describe('charts', () => {
  test('the longest bar belongs to the largest value', () => {
    const { svg } = barChart('x.svg', 'a < b', 's', [
      { label: 'Weir, 350', value: 1 },
      { label: 'nginx & co', value: 4 },
    ])
    const lengths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)" height="22"/g)].map((match) =>
      Number(match[1]),
    )
    expect(lengths).toHaveLength(2)
    expect(lengths[1]! / lengths[0]!).toBeCloseTo(4, 1)
    expect(svg).toContain('a &lt; b (s)')
    expect(svg).toContain('nginx &amp; co')
  })

  test('a line goes through its points', () => {
    const { svg } = lineChart('x.svg', 'm', 'MB', [
      {
        label: 'RSS',
        points: [
          [0, 0],
          [10, 50],
          [20, 100],
        ],
      },
    ])
    // From the axes' origin to the right end at the top, in a straight line.
    expect(svg).toContain('d="M60.0 264.0L315.0 154.0L570.0 44.0"')
  })
})
