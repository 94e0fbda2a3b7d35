import type { VhostConfig } from '../../config/config.ts'
import type { StreamId } from '../../ipc/contract.ts'
import { displayName, splitStreamId } from '../../live/stream-key.ts'
import { RecordingNames } from '../../recordings/names.ts'

export type DvrConfig = VhostConfig['dvr']

/** @throws WeirError PATH_TEMPLATE */
export function namesOf(stream: StreamId, { dvrPath }: DvrConfig, utc: boolean): RecordingNames {
  return new RecordingNames({ ...splitStreamId(stream), path: dvrPath, utc })
}

/** Whether a stream is to be recorded. */
export function isRecorded(stream: StreamId, { enabled, dvrApply }: DvrConfig): boolean {
  const { app, stream: name } = splitStreamId(stream)
  const own = [displayName(stream), `${app}/${name}`]
  return enabled && dvrApply.some((applied) => applied === 'all' || own.includes(applied))
}

/** Settings that a running recording can change to; with any other one it ends and another begins. */
const liveSettings: ReadonlySet<string> = new Set(['enabled', 'dvrApply', 'dvrDuration', 'dvrWaitKeyframe'])

/** Whether a changed configuration can be taken up without beginning anew. */
export function canChangeTo(before: DvrConfig, after: DvrConfig): boolean {
  const keys = Object.keys(before) as (keyof DvrConfig)[]
  return keys.every((key) => liveSettings.has(key) || before[key] === after[key])
}

/** Most key frames and fragments that the head of a file has room for. */
const maxPoints = 900

/** How many key frames a file is to have room for: those of files of a known length are known, one a second. */
export function indexCapacity({ dvrPlan, dvrDuration }: DvrConfig): number {
  return dvrPlan === 'segment' ? Math.min(maxPoints, Math.ceil(dvrDuration) + 8) : maxPoints
}
