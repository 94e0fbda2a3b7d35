/** What a client asks of a server, as the handler of a session gets it to decide on. */
import { WeirError } from '../base/errors.ts'
import {
  type AmfRecord,
  type AmfValue,
  asNumber,
  asRecord,
  asString,
  getNumber,
  getString,
} from '../media/amf-value.ts'
import type { Command } from './command.ts'
import { type ForwardRoute, parseRoute, routeField } from './forward-route.ts'
import type { PublishStyle } from './server-streams.ts'
import { parseTcUrl, type TcUrl } from './tc-url.ts'

/** The connect command (RTMP 1.0, section 7.2.1.1). Strings that the client left out are ''. */
export interface ConnectRequest {
  readonly app: string
  readonly tcUrl: string
  readonly pageUrl: string
  readonly swfUrl: string
  readonly flashVer: string
  /** The AMF version that the client wants to be sent objects in. */
  readonly objectEncoding: 0 | 3
  /** tcUrl and app, taken apart; no stream yet. */
  readonly address: TcUrl
  /** The argument behind the command object, in which edges tell who they are; null unless it is an object. */
  readonly args: AmfRecord | null
  /** Where a server that forwards has its streams from. */
  readonly route: ForwardRoute
}

/** The publish command (7.2.2.6). Names are percent-decoded and checked. */
export interface PublishRequest {
  /** Message stream. */
  readonly streamId: number
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** Queries of the stream and the app with a leading `?`, undecoded; '' when none. */
  readonly param: string
  readonly type: 'live' | 'record' | 'append'
  readonly style: PublishStyle
}

/** The play command (7.2.2.1). Names are percent-decoded and checked. */
export interface PlayRequest {
  /** Message stream. */
  readonly streamId: number
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** Queries of the stream and the app with a leading `?`, undecoded; '' when none. */
  readonly param: string
  /** Seconds (librtmp and ffmpeg send milliseconds); -2: live, else recorded; -1: live only. */
  readonly start: number
  /** As start; -1: to the end. */
  readonly duration: number
  /** Whether the client wants to leave what it played before. */
  readonly reset: boolean
}

/** @throws WeirError RTMP_COMMAND when there is no command object or its tcUrl is no URL, RTMP_NAME */
export function connectRequest(command: Command): ConnectRequest {
  const object = asRecord(command.args[0])
  if (object === null) throw new WeirError('RTMP_COMMAND', 'connect comes without its object')
  const tcUrl = getString(object, 'tcUrl') ?? ''
  const app = getString(object, 'app') ?? ''
  return {
    app,
    tcUrl,
    pageUrl: getString(object, 'pageUrl') ?? '',
    swfUrl: getString(object, 'swfUrl') ?? '',
    flashVer: getString(object, 'flashVer') ?? '',
    objectEncoding: getNumber(object, 'objectEncoding') === 3 ? 3 : 0,
    address: parseTcUrl(tcUrl, app, null),
    args: asRecord(command.args[1]),
    route: parseRoute(getString(object, routeField) ?? ''),
  }
}

/**
 * @param name the stream name as the client gave it, with query
 * @throws WeirError RTMP_NAME
 */
export function publishRequest(
  connect: ConnectRequest,
  streamId: number,
  name: string,
  style: PublishStyle,
  command: Command,
): PublishRequest {
  const { vhost, app, stream, param } = parseTcUrl(connect.tcUrl, connect.app, name)
  const asked = asString(command.args[2])
  const type = asked === 'record' || asked === 'append' ? asked : 'live'
  return { streamId, vhost, app, stream, param, type, style }
}

/**
 * @param name the stream name as the client gave it, with query
 * @throws WeirError RTMP_NAME
 */
export function playRequest(
  connect: ConnectRequest,
  streamId: number,
  name: string,
  command: Command,
): PlayRequest {
  const { vhost, app, stream, param } = parseTcUrl(connect.tcUrl, connect.app, name)
  return {
    streamId,
    vhost,
    app,
    stream,
    param,
    start: asNumber(command.args[2]) ?? -2,
    duration: asNumber(command.args[3]) ?? -1,
    reset: isReset(command.args[4]),
  }
}

/** The flag is a boolean by the specification; Flash sends numbers (0 to 3) too. */
function isReset(value: AmfValue): boolean {
  return value !== false && value !== 0
}
