/** What a run found out: the reports of its threads as one. The shapes are those of the JSON line `result`. */
import { Histogram } from './histogram.ts'
import type { Plan, PlayFigures, PublishFigures, ThreadReport } from './plan.ts'

interface CommonResult {
  /** Clients that were asked for, and those that were up to the end. */
  readonly clients: number
  readonly up: number
  /** Errors by code, of the whole run. */
  readonly errors: Readonly<Record<string, number>>
  /** How long was measured; what follows is of that time unless it says otherwise. */
  readonly seconds: number
  /** Of all clients together. */
  readonly bytes: number
  /** CPU of this tool, all its threads together. */
  readonly cpuSeconds: number
}

export interface PlayResult extends CommonResult {
  /** Megabits a second of all players together. */
  readonly mbps: number
  /** Kilobits a second of one player that was up to the end. */
  readonly kbpsMin: number
  readonly kbpsMean: number
  /** Players that got less than 95 % of the mean. */
  readonly shortfall: number
  /** From the TCP connect to the first packet to decode from; of the whole run. */
  readonly firstPacketMs: Percentiles
  /** From the publisher to the player; null if nothing was stamped. */
  readonly latencyMs: (Percentiles & { readonly count: number }) | null
  /** What HLS players asked for and how long the answers took; null for others. */
  readonly requests: Requests | null
  /** These three are of the whole run. */
  readonly gaps: number
  readonly timestampErrors: number
  readonly framingErrors: number
}

export interface Requests {
  readonly playlists: number
  readonly segments: number
  /** From the request to the end of the answer. */
  readonly responseMs: Percentiles
}

export interface PublishResult extends CommonResult {
  readonly packets: number
  /** Packets that were sent more than 20 ms after their time. */
  readonly late: number
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export type Result = PlayResult | PublishResult

const shortfallShare = 0.95

/** @param reports one of each thread */
export function resultOf(plan: Plan, reports: readonly ThreadReport[], cpuSeconds: number): Result {
  const common: CommonResult = {
    clients: plan.clients,
    up: sum(reports.map(({ up }) => up)),
    errors: sumByCode(reports),
    seconds: rounded(secondsOf(reports)),
    bytes: sum(reports.map(({ bytes }) => bytes)),
    cpuSeconds: rounded(cpuSeconds),
  }
  const figures = reports.map((report) => report.figures)
  if (plan.kind === 'play') {
    return { ...common, ...bitrates(reports), ...playFigures(figures.filter((part) => part.kind === 'play')) }
  }
  return { ...common, ...publishFigures(figures.filter((part) => part.kind === 'publish')) }
}

/** Whether all clients were up to the end and nothing was wrong with what they got. */
export function isFaultless(result: Result): boolean {
  const { clients, up, errors } = result
  if (up !== clients || Object.keys(errors).length > 0) return false
  return !('gaps' in result) || result.gaps + result.timestampErrors + result.framingErrors === 0
}

function bitrates(
  reports: readonly ThreadReport[],
): Pick<PlayResult, 'mbps' | 'kbpsMin' | 'kbpsMean' | 'shortfall'> {
  const seconds = secondsOf(reports)
  const kbps = (bytes: number) => (seconds === 0 ? 0 : (bytes * 8) / seconds / 1e3)
  const bytesOfEach = reports.flatMap((report) => [...report.bytesOfEach])
  const mean = sum(bytesOfEach) / Math.max(bytesOfEach.length, 1)
  return {
    mbps: rounded(kbps(sum(reports.map(({ bytes }) => bytes))) / 1e3),
    kbpsMin: rounded(kbps(bytesOfEach.reduce((least, bytes) => Math.min(least, bytes), mean))),
    kbpsMean: rounded(kbps(mean)),
    shortfall: bytesOfEach.filter((bytes) => bytes < shortfallShare * mean).length,
  }
}

function playFigures(
  figures: readonly PlayFigures[],
): Omit<PlayResult, keyof CommonResult | 'mbps' | 'kbpsMin' | 'kbpsMean' | 'shortfall'> {
  const latency = Histogram.merge(figures.map((part) => part.latency))
  return {
    firstPacketMs: percentilesOf(Histogram.merge(figures.map((part) => part.firstPacket))),
    latencyMs: latency.count === 0 ? null : { ...percentilesOf(latency), count: latency.count },
    requests: requestsOf(figures),
    gaps: sum(figures.map(({ gaps }) => gaps)),
    timestampErrors: sum(figures.map(({ timestampErrors }) => timestampErrors)),
    framingErrors: sum(figures.map(({ framingErrors }) => framingErrors)),
  }
}

function requestsOf(figures: readonly PlayFigures[]): Requests | null {
  const responses = Histogram.merge(figures.map((part) => part.responses))
  if (responses.count === 0) return null
  return {
    playlists: sum(figures.map(({ playlists }) => playlists)),
    segments: sum(figures.map(({ segments }) => segments)),
    responseMs: percentilesOf(responses),
  }
}

function publishFigures(figures: readonly PublishFigures[]): Pick<PublishResult, 'packets' | 'late'> {
  return {
    packets: sum(figures.map(({ packets }) => packets)),
    late: sum(figures.map(({ late }) => late)),
  }
}

function percentilesOf(histogram: Histogram): Percentiles {
  return {
    p50: rounded(histogram.percentile(0.5)),
    p99: rounded(histogram.percentile(0.99)),
    max: rounded(histogram.maxMs),
  }
}

function sumByCode(reports: readonly ThreadReport[]): Record<string, number> {
  const errors: Record<string, number> = {}
  for (const [code, count] of reports.flatMap((report) => [...report.errors])) {
    errors[code] = (errors[code] ?? 0) + count
  }
  return errors
}

/** Threads begin and end within milliseconds of each other. */
function secondsOf(reports: readonly ThreadReport[]): number {
  return sum(reports.map(({ seconds }) => seconds)) / Math.max(reports.length, 1)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** To three digits behind the point. */
function rounded(number: number): number {
  return Math.round(number * 1e3) / 1e3
}
