import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Check } from 'typebox/value'
import { expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configuration } from '../../src/config/schema/global.ts'
import { selfSigned } from '../support/certificates.ts'
import { sharedTempDir } from '../support/temp-dir.ts'

const folder = fileURLToPath(new URL('../../conf/', import.meta.url))

/** Where the server is started: the certificates that the files name are there. */
const cwd = sharedTempDir()
mkdirSync(join(cwd, 'conf'))
selfSigned(join(cwd, 'conf'))

const standard = '__defaultVhost__'
const foreground = { daemon: false, pid: './objs/weir.pid', log: { tank: 'console' } }

/** What each file is for, as values that it must have. */
const purposes: Record<string, (config: Config) => void> = {
  'weir.conf': (config) => {
    expect(config).toMatchObject({ ...foreground, listen: [{ host: null, port: 1935 }] })
    expect(Object.keys(config.vhosts)).toEqual([standard])
  },
  'origin.conf': (config) => {
    expect(config).toMatchObject({ daemon: true, log: { tank: 'file' }, maxConnections: 10000 })
  },
  'cluster.conf': (config) => {
    expect(config).toMatchObject(foreground)
    expect(config.cluster).toMatchObject({ registry: 'redis', node: 'origin-1', lease: 6, redirect: false })
  },
  'edge.conf': (config) => {
    expect(config.vhosts[standard]?.cluster).toMatchObject({
      mode: 'remote',
      origin: ['192.0.2.1:1935', '192.0.2.2:1935'],
      pullTimeout: 10,
    })
    expect(config.vhosts['tv.example.com']?.cluster.origin).toEqual(['http://192.0.2.3:8080'])
    expect(config.vhosts['cdn.example.com']?.cluster).toMatchObject({
      mode: 'remote',
      vhost: 'origin.[vhost]',
    })
  },
  'edge-token-traverse.conf': (config) => {
    expect(config.vhosts[standard]?.cluster).toMatchObject({
      mode: 'remote',
      origin: ['192.0.2.1:1935', '192.0.2.2:1935'],
      tokenTraverse: true,
    })
  },
  'http.conf': (config) => {
    const api = [{ host: '127.0.0.1', port: 1985 }]
    expect(config).toMatchObject({
      ...foreground,
      httpServer: { enabled: true, listen: [{ host: null, port: 8080 }] },
      httpApi: { enabled: true, listen: api },
    })
    expect(config.vhosts[standard]?.httpRemux).toMatchObject({ enabled: true })
  },
  'api.conf': (config) => {
    expect(config).toMatchObject({
      ...foreground,
      httpApi: { enabled: true, listen: [{ host: null, port: 1985 }], auth: { enabled: true } },
      stats: { disk: ['sda', 'vda', 'nvme0n1'] },
    })
  },
  'hooks.conf': (config) => {
    expect(config).toMatchObject(foreground)
    const { httpHooks } = config.vhosts[standard]!
    expect(httpHooks).toMatchObject({ enabled: true, hookTimeout: 3, hookRetry: 5 })
    expect(httpHooks.onPublish).toStrictEqual(['http://127.0.0.1:8085/api/v1/streams'])
    expect(httpHooks.hookOnError).toStrictEqual([
      { gate: 'all', action: 'refuse' },
      { gate: 'on_play', action: 'accept' },
    ])
  },
  'low-latency.conf': (config) => {
    expect(config).toMatchObject(foreground)
    expect(config.vhosts[standard]).toMatchObject({ minLatency: true, play: { gopCache: false } })
  },
  'many-cores.conf': (config) => {
    expect(config).toMatchObject({ ...foreground, workerProcesses: 16, maxProcesses: 128 })
  },
  'hls.conf': (config) => {
    expect(config).toMatchObject(foreground)
    expect(config.vhosts[standard]?.hls).toMatchObject({ enabled: true, hlsFragment: 4, hlsDispose: 1800 })
  },
  'hls-edge.conf': (config) => {
    expect(config).toMatchObject({ ...foreground, httpServer: { enabled: true } })
    expect(config.vhosts[standard]?.cluster).toMatchObject({
      hlsOrigin: ['http://192.0.2.1:8080', 'http://192.0.2.2:8080'],
      hlsOriginCache: 512 * 1024 * 1024,
    })
  },
  'backup.conf': (config) => {
    expect(config).toMatchObject({ ...foreground, httpServer: { enabled: true } })
    expect(config.vhosts[standard]).toMatchObject({
      play: { atc: true },
      hls: { enabled: true, hlsFragment: 4, hlsDispose: 20 },
    })
  },
  'dvr.conf': (config) => {
    expect(config).toMatchObject({ ...foreground, httpServer: { enabled: true }, httpApi: { enabled: true } })
    expect(config.vhosts[standard]?.dvr).toMatchObject({
      enabled: true,
      dvrPlan: 'session',
      dvrDuration: 600,
    })
  },
  'forward.conf': (config) => {
    expect(config).toMatchObject(foreground)
    expect(config.vhosts[standard]?.forward).toMatchObject({ enabled: true, backend: '' })
    expect(config.vhosts['tv.example.com']?.forward.destination).toEqual(['192.0.2.3:1935'])
    expect(config.vhosts['cdn.example.com']?.forward).toMatchObject({ enabled: true, destination: [] })
  },
  'heartbeat.conf': (config) => {
    expect(config).toMatchObject({
      ...foreground,
      heartbeat: { enabled: true, interval: 10, deviceId: 'edge-7', summaries: true, ports: true },
      stats: { network: 0, disk: ['sda', 'vda', 'nvme0n1'] },
    })
  },
  'bandcheck.conf': (config) => {
    expect(config).toMatchObject(foreground)
    const bandcheck = { enabled: true, key: '35c9b402c12a', interval: 30, limitKbps: 8000 }
    expect(config.vhosts['bandcheck.example.com']).toMatchObject({ bandcheck })
  },
  'vod.conf': (config) => {
    const vod = {
      enabled: true,
      mount: '/vod',
      fragment: 6,
      threads: 2,
      queue: 64,
      cacheSize: 64 * 1024 ** 2,
    }
    expect(config).toMatchObject({ ...foreground, httpServer: { enabled: true, vod } })
  },
  'access.conf': (config) => {
    expect(config).toMatchObject({ ...foreground, maxConnectionsPerIp: 50, httpServer: { enabled: true } })
    const auth = { enabled: true, publish: ['signed'], play: ['signed', 'jwt'] }
    expect(config.vhosts[standard]).toMatchObject({
      auth,
      hls: { enabled: true },
      httpRemux: { enabled: true },
    })
    expect(config.vhosts['studio.example.com']?.security).toMatchObject({ enabled: true })
    expect(config.vhosts['player.example.com']?.refer).toMatchObject({ enabled: true, play: ['example.com'] })
  },
  'transcode.conf': (config) => {
    expect(config).toMatchObject(foreground)
    const { transcode } = config.vhosts[standard]!
    expect(Object.keys(transcode)).toEqual(['live'])
    expect(transcode.live).toMatchObject({ enabled: true, ffmpeg: 'ffmpeg' })
    expect(Object.keys(transcode.live!.engine)).toEqual(['sd', 'audio'])
  },
  'ingest.conf': (config) => {
    expect(config).toMatchObject(foreground)
    const ingests = Object.entries(config.vhosts[standard]!.ingest)
    expect(ingests.map(([name, { enabled, input }]) => [name, enabled, input.type])).toEqual([
      ['livestream', true, 'file'],
      ['movie', false, 'file'],
      ['camera', false, 'stream'],
      ['webcam', false, 'stream'],
    ])
  },
  'exec.conf': (config) => {
    expect(config).toMatchObject(foreground)
    expect(config.vhosts[standard]!.exec).toMatchObject({ enabled: true })
    expect(config.vhosts[standard]!.exec.publish).toHaveLength(1)
  },
  'rtmps.conf': (config) => {
    expect(config).toMatchObject({
      ...foreground,
      listen: [{ host: '127.0.0.1', port: 1935 }],
      rtmps: { enabled: true, listen: [{ host: null, port: 1443 }] },
    })
  },
  'vhosts.conf': (config) => {
    expect(Object.keys(config.vhosts)).toEqual([
      standard,
      'low.example.com',
      'tv.example.com',
      'radio.example.com',
      'new.example.com',
    ])
    expect(config.vhosts['new.example.com']?.enabled).toBe(false)
  },
  'atc.conf': (config) => {
    expect(config.vhosts[standard]?.play.atc).toBe(true)
    expect(config.vhosts['auto.example.com']?.play).toMatchObject({ atc: false, atcAuto: true })
  },
  'replace.conf': (config) => {
    const policies = Object.values(config.vhosts).map(({ publish }) => publish.policy)
    expect(policies).toEqual(['reject', 'replace', 'resume'])
  },
}

test.each(Object.keys(purposes))('conf/%s loads without a warning and does what it is for', (name) => {
  const { config, warnings, files } = loadConfig(folder + name, cwd)
  expect(warnings).toEqual([])
  expect(files).toEqual([folder + name])
  expect(Check(configuration.schema, config)).toBe(true)
  purposes[name]?.(config)
})

test('conf/full.conf loads, and warns only of examples that are not acted on', () => {
  const { config, warnings } = loadConfig(`${folder}full.conf`)
  expect(Check(configuration.schema, config)).toBe(true)
  const names = warnings.map((line) => /"(.*)" is accepted but not acted on/.exec(line)?.[1])
  expect(names).toEqual(['server_id', 'coworkers'])
})

test('every file of conf/ is tested', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.conf'))
  expect(files.sort()).toEqual([...Object.keys(purposes), 'full.conf'].sort())
})
