import type { BenchCase } from './cases/bench-case.ts'
import { dvr } from './cases/dvr.ts'
import { edge } from './cases/edge.ts'
import { fanOut } from './cases/fan-out.ts'
import { firstFrame } from './cases/first-frame.ts'
import { floor } from './cases/floor.ts'
import { hls } from './cases/hls.ts'
import { hooks } from './cases/hooks.ts'
import { hostile } from './cases/hostile.ts'
import { httpFlv } from './cases/http-flv.ts'
import { latencyAlone, latencyAuto } from './cases/latency.ts'
import { manyPlayers } from './cases/many-players.ts'
import { manyStreams } from './cases/many-streams.ts'
import { memory } from './cases/memory.ts'
import { model } from './cases/model.ts'
import { publishers } from './cases/publishers.ts'
import { spread } from './cases/spread.ts'
import { startTime } from './cases/start-time.ts'
import { workerCount } from './cases/worker-count.ts'

/** What a run without arguments measures, in its order. */
export const standingSet: readonly BenchCase[] = [
  fanOut,
  manyPlayers,
  manyStreams,
  publishers,
  latencyAlone,
  latencyAuto,
  firstFrame,
  startTime,
  workerCount,
  spread,
  hostile,
  hooks,
  httpFlv,
  edge,
  hls,
  dvr,
  floor,
  model,
]

/** Measured only when it is named: it takes ten minutes by itself. */
export const longCases: readonly BenchCase[] = [memory]
