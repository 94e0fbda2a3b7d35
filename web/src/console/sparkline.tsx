import { historyLength } from './rates.ts'

const width = 120
const height = 28

interface SparklineProps {
  readonly values: readonly number[]
  /** Says what it shows, for those who do not see it. */
  readonly label: string
}

/** The course of a value over the last minute. */
export function Sparkline({ values, label }: SparklineProps) {
  const most = Math.max(...values, 1)
  const step = width / (historyLength - 1)
  const x = (index: number): number => width - (values.length - 1 - index) * step
  const y = (value: number): number => height - 2 - (value / most) * (height - 4)
  const line = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} />
      {values.length > 1 && (
        <>
          <polygon points={`${x(0).toFixed(1)},${height} ${line} ${width},${height}`} />
          <polyline points={line} />
        </>
      )}
    </svg>
  )
}
