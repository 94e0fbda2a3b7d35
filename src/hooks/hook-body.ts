/** The JSON of callbacks, member by member as SRS has it (those of SRS 6 included). */
import { defaultVhost } from '../config/vhost-of.ts'
import { streamId, streamTag } from '../live/stream-key.ts'
import type { HookAction } from './hook-settings.ts'
import { signatureHeaders } from './hook-signature.ts'

/** How this server is called. */
export interface HookIdentity {
  /** `server_id`, or what the server has made up for its life. */
  readonly server: string
  /** This run of the server. */
  readonly service: string
}

/** Who a callback is about. */
export interface HookSubject {
  readonly clientId: string
  readonly ip: string
  readonly vhost: string
  readonly app: string
  /** '' for a connection. */
  readonly stream: string
  /** With a leading `?`. */
  readonly param: string
}

/** What a callback says beside that, under the names that it has in the JSON. */
export type HookFacts = Record<string, string | number>

/** @returns the JSON text of a callback */
export function hookBody(
  action: HookAction,
  { server, service }: HookIdentity,
  subject: HookSubject,
  facts: HookFacts = {},
): string {
  const { clientId, ip, vhost, app, stream } = subject
  return JSON.stringify({
    server_id: server,
    service_id: service,
    action,
    client_id: clientId,
    ip,
    vhost,
    app,
    ...(stream === '' ? {} : streamMembers(subject)),
    ...facts,
  })
}

/**
 * The headers of a callback.
 * @param secret `hook_secret`; '' does not sign
 */
export function hookHeaders(secret: string, body: string): Record<string, string> {
  const signature = secret === '' ? {} : signatureHeaders(secret, body, Date.now())
  return { 'content-type': 'application/json', 'user-agent': 'weir', ...signature }
}

function streamMembers({ vhost, app, stream, param }: HookSubject) {
  return {
    stream,
    param,
    stream_url: `${vhost === defaultVhost ? '' : vhost}/${app}/${stream}`,
    stream_id: streamTag(streamId({ vhost, app, stream })),
  }
}
