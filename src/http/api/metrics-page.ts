import { Counter, Gauge, Registry } from 'prom-client'

/** Streams and virtual hosts that have series of their own; of the others only the sums tell. */
export const maxLabelled = 200

/** The media type of a page. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE

export type Labels = Readonly<Record<string, string | number>>
export type Values = readonly (readonly [labels: Labels, value: number])[]

/** Metrics with their values, named `weir_…` unless they are SRS's. */
export class MetricsPage {
  readonly #registry = new Registry()

  /** @param labels that all of them have */
  constructor(labels: Labels) {
    this.#registry.setDefaultLabels(labels)
  }

  gauge(name: string, help: string, values: Values): void {
    const gauge = new Gauge({ ...this.#options(name, help, values) })
    for (const [labels, value] of values) gauge.set({ ...labels }, value)
  }

  counter(name: string, help: string, values: Values): void {
    const counter = new Counter({ ...this.#options(name, help, values) })
    for (const [labels, value] of values) counter.inc({ ...labels }, value)
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #options(name: string, help: string, values: Values) {
    const labelNames = Object.keys(values[0]?.[0] ?? {})
    return {
      name: name.startsWith('srs_') ? name : `weir_${name}`,
      help,
      labelNames,
      registers: [this.#registry],
    }
  }
}
