import { type OwnClientKind, ownClientParam } from '../../base/own-client.ts'
import { splitStreamId } from '../../live/stream-key.ts'
import { ownAddress } from '../../programs/own-server.ts'
import type { OutputHost } from '../stream-output.ts'

/** The parameter by which own programs are known: it is this server's secret. */
const secret = /([?&])weir_own=[^&]*/g

/** What the variables of a stream stand for. */
export function streamValues(host: OutputHost) {
  const { stream: id, config } = host
  const { vhost, app, stream } = splitStreamId(id)
  return {
    vhost,
    app,
    stream,
    port: String(ownAddress(config).port),
    // A client may send anything; no program can be given a NUL.
    param: host
      .publisher()
      .param.replace(secret, '$1')
      .replace(/\p{Cc}/gu, ''),
  }
}

/**
 * Where a program of this server gets a stream from. Names are percent-encoded whole, so that no program takes an
 * application's slash or a stream's colon for something else.
 */
export function inputUrl(kind: OwnClientKind, { stream: id, config, ownToken }: OutputHost): string {
  const { vhost, app, stream } = splitStreamId(id)
  const { host, port } = ownAddress(config)
  const [inVhost, inApp, inStream] = [vhost, app, stream].map(encodeURIComponent)
  const query = `vhost=${inVhost}&${ownClientParam(kind, ownToken)}`
  return `rtmp://${host}:${port}/${inApp}/${inStream}?${query}`
}
