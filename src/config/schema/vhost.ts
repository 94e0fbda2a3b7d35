/** A virtual host: what is set for its streams. */

import { named, section, since1, since2, since6 } from './declare.ts'
import { flag, integer } from './lines.ts'
import { auth, bandcheck, refer, security } from './vhost-access.ts'
import { cluster, forward } from './vhost-cluster.ts'
import { dvr } from './vhost-dvr.ts'
import { exec, ingest, transcode } from './vhost-ffmpeg.ts'
import { dash, hds, hls } from './vhost-hls.ts'
import { httpHooks, httpRemux, httpStatic } from './vhost-http.ts'
import { play } from './vhost-play.ts'
import { publish } from './vhost-publish.ts'

export const vhost = section(
  'A virtual host with the names given; `__defaultVhost__` takes the clients whose host has no section of its own.',
  { ...since1, name: 'vhost', example: '__defaultVhost__' },
  {
    enabled: flag('on', 'Whether clients of this virtual host are served.', { ...since1, acted: true }),
    chunkSize: integer(
      '60000',
      { min: 128, max: 16_777_215, unit: 'bytes' },
      'As the global `chunk_size`, whose value it takes when absent.',
      { ...since1, acted: true },
    ),
    minLatency: flag('off', 'Sends every message at once, at a higher cost for each player.', {
      ...since2,
      acted: true,
    }),
    tcpNodelay: flag(
      'on',
      'Sends small packets at once instead of gathering them (TCP_NODELAY) (SRS: off).',
      { ...since2, acted: true },
    ),
    inAckSize: integer(
      '0',
      { min: 0, max: 2_147_483_647, unit: 'bytes' },
      'After how many bytes received the server acknowledges them; 0: when the client asks for it.',
      { ...since6, acted: true },
    ),
    outAckSize: integer(
      '2500000',
      { min: 0, max: 2_147_483_647, unit: 'bytes' },
      'After how many bytes clients are asked to acknowledge; 0: they are not asked.',
      { ...since6, acted: true },
    ),
    play,
    publish,
    refer,
    security,
    auth,
    bandcheck,
    cluster,
    forward,
    hls,
    hds,
    dash,
    dvr,
    httpStatic,
    httpRemux,
    httpHooks,
    ingest: named(ingest, [1, 1]),
    transcode: named(transcode, [0, 1]),
    exec,
  },
  {
    rtc: 'SRS 6: WebRTC.',
    srt: 'SRS 6: SRT.',
    nack: 'SRS 6: lost packets of WebRTC.',
    twcc: 'SRS 6: congestion control of WebRTC.',
  },
)
