import { version } from '../base/version.ts'
import type { Config, Endpoint } from '../config/config.ts'
import { endpointName } from '../config/endpoints.ts'
import { defaultVhost } from '../config/vhost-of.ts'
import { type ConfigPlace, configOptionFor } from './config-place.ts'

/** What a person who started the server wants to know first. */
export function banner(config: Config, endpoints: readonly string[], place: ConfigPlace): string {
  const port = /:(\d+)$/.exec(endpoints[0] ?? '')?.[1] ?? '1935'
  const host = port === '1935' ? '127.0.0.1' : `127.0.0.1:${port}`
  const url = `rtmp://${host}/live/livestream`
  return [
    '',
    `  Weir ${version} accepts clients on ${endpoints.join(', ')} (pid ${process.pid})`,
    '',
    `  publish   ${url}`,
    `            OBS: server rtmp://${host}/live, stream key livestream`,
    `            ffmpeg -re -i FILE -c copy -f flv ${url}`,
    `  play      ${url}  (ffplay, VLC, mpv)`,
    ...httpLines(config),
    `  status    bin/weir ${configOptionFor(place)}ctl status`,
    `  log       ${config.log.tank === 'file' ? config.log.file : 'this terminal'}`,
    '',
    '',
  ].join('\n')
}

/** Where the same stream plays over HTTP, and where console and API are; nothing where these are off. */
function httpLines(config: Config): string[] {
  const { httpServer, httpApi } = config
  const lines: string[] = []
  const vhost = config.vhosts[defaultVhost]
  const isLive = httpServer.enabled && vhost?.enabled && vhost.httpRemux.enabled
  if (isLive && vhost.httpRemux.mount.includes('[vhost]/[app]/[stream].flv')) {
    lines.push(
      `            http://${hostOf(httpServer.listen)}/live/livestream.flv  (mpegts.js, VLC, ffplay)`,
    )
    if (httpServer.pages) {
      lines.push(
        `            http://${hostOf(httpServer.listen)}/players/?url=/live/livestream.flv  (a browser)`,
      )
    }
  }
  if (!httpApi.enabled) return lines
  const address = `http://${hostOf(httpApi.listen)}`
  return [...lines, ...(httpApi.pages ? [`  console   ${address}/`] : []), `  API       ${address}/api/v1/`]
}

/** How a browser on this machine reaches the first of some endpoints. */
function hostOf([first]: readonly Endpoint[]): string {
  const { host = null, port = 80 } = first ?? {}
  const name = endpointName({ host: host ?? '127.0.0.1', port })
  return port === 80 ? name.slice(0, -':80'.length) : name
}
