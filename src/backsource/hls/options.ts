import type { VhostConfig } from '../../config/config.ts'
import { splitStreamId } from '../../live/stream-key.ts'
import { HlsNames } from '../../media/hls/names.ts'
import type { SegmenterOptions } from '../../media/hls/segmenter.ts'
import type { StoreOptions } from './playlist-store.ts'

export type HlsConfig = VhostConfig['hls']

/** Below this nothing is cut: a directive of 0 would make a file of each frame. */
const leastFragmentMs = 100

export function segmenterOptions(hls: HlsConfig): SegmenterOptions {
  return {
    fragmentMs: fragmentMs(hls),
    overdueRatio: hls.hlsAofRatio,
    waitKeyFrame: hls.hlsWaitKeyframe,
    floor: hls.hlsTsFloor,
    video: hls.hlsVcodec !== 'vn',
    audio: hls.hlsAcodec !== 'an',
  }
}

export function storeOptions(hls: HlsConfig): StoreOptions {
  return {
    forgottenMs: hls.hlsStorage === 'ram' ? Math.min(1000, fragmentMs(hls)) : null,
    windowMs: hls.hlsWindow * 1000,
    targetDuration: (fragmentMs(hls) / 1000) * hls.hlsTdRatio,
    cleanup: hls.hlsCleanup,
  }
}

/**
 * @param stream the stream's id
 * @param utc `utc_time`
 * @throws WeirError PATH_TEMPLATE
 */
export function namesOf(stream: string, hls: HlsConfig, utc: boolean): HlsNames {
  return new HlsNames({
    ...splitStreamId(stream),
    root: hls.hlsPath,
    playlist: hls.hlsM3u8File,
    segment: hls.hlsTsFile,
    entryPrefix: hls.hlsEntryPrefix,
    keyRoot: hls.hlsKeyFilePath,
    key: hls.hlsKeyFile,
    keyUrl: hls.hlsKeyUrl,
    utc,
  })
}

/** Settings that a running stream's segments can change to; with any other one they begin anew. */
const liveSettings: ReadonlySet<string> = new Set([
  'hlsFragment',
  'hlsTdRatio',
  'hlsAofRatio',
  'hlsWindow',
  'hlsOnError',
  'hlsCleanup',
  'hlsDispose',
  'hlsWaitKeyframe',
  'hlsFragmentsPerKey',
])

/** Whether a changed configuration can be taken up without beginning anew. */
export function canChangeTo(before: HlsConfig, after: HlsConfig): boolean {
  const keys = Object.keys(before) as (keyof HlsConfig)[]
  return keys.every((key) => liveSettings.has(key) || before[key] === after[key])
}

function fragmentMs(hls: HlsConfig): number {
  return Math.max(leastFragmentMs, hls.hlsFragment * 1000)
}
