/** Metrics of the connections to other servers that streams come from and go to. */
import type { ForwardStatus } from '../../ipc/forward-facts.ts'
import type { PushStatus } from '../../ipc/push-facts.ts'
import { displayName } from '../../live/stream-key.ts'
import type { StreamView } from '../views.ts'
import { type Labels, type MetricsPage, maxLabelled, type Values } from './metrics-page.ts'

/** @param streams of which as many are told as have series of their own */
export function addLinks(page: MetricsPage, streams: readonly StreamView[]): void {
  addForwards(page, streams)
  addPulls(page, streams)
  addPushes(page, streams)
}

function addForwards(page: MetricsPage, streams: readonly StreamView[]): void {
  const links = streams.slice(0, maxLabelled).flatMap(({ stream, forwards }) => {
    return forwards.map((forward) => ({ stream: displayName(stream), forward }))
  })
  const values = (value: (forward: ForwardStatus) => number): Values =>
    links.map(({ stream, forward }) => [{ stream, destination: forward.destination }, value(forward)])
  page.gauge(
    'forward_up',
    'Whether a stream is being forwarded to a server.',
    values(({ state }) => Number(state === 'forwarding')),
  )
  page.counter(
    'forward_send_bytes_total',
    'To a server that a stream is forwarded to.',
    values(({ bytesOut }) => bytesOut),
  )
  page.counter(
    'forward_retries_total',
    'Attempts that followed a failure.',
    values(({ retries }) => retries),
  )
  page.counter(
    'forward_dropped_packets_total',
    'Packets that a server was too slow for.',
    values(({ packetsDropped }) => packetsDropped),
  )
}

function addPulls(page: MetricsPage, streams: readonly StreamView[]): void {
  const pulled = streams.slice(0, maxLabelled).flatMap(({ stream, upstream }): [Labels, number][] => {
    return upstream === null ? [] : [[{ stream: displayName(stream), upstream: upstream.address }, 1]]
  })
  page.gauge('stream_pulled', 'That a stream comes from another server at the moment.', pulled)
}

function addPushes(page: MetricsPage, streams: readonly StreamView[]): void {
  const pushed = streams.slice(0, maxLabelled).flatMap(({ stream, push }) => {
    return push === null ? [] : [{ labels: { stream: displayName(stream) }, push }]
  })
  const values = (value: (push: PushStatus) => number): Values =>
    pushed.map(({ labels, push }) => [labels, value(push)])
  page.gauge(
    'push_up',
    'Whether another server takes a stream that is published on an edge.',
    values(({ address }) => Number(address !== '')),
  )
  page.counter(
    'push_send_bytes_total',
    'To the servers that it was published at.',
    values(({ bytesOut }) => bytesOut),
  )
  page.counter(
    'push_retries_total',
    'Attempts that followed the first one.',
    values(({ retries }) => retries),
  )
  page.counter(
    'push_dropped_packets_total',
    'Packets that a server was too slow for.',
    values(({ packetsDropped }) => packetsDropped),
  )
}
