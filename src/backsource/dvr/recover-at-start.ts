import { resolve } from 'node:path'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import { splitTemplate } from '../../media/path-template.ts'
import { recordingTemplate } from '../../recordings/names.ts'
import { type DvrListener, recordedFile } from './recorded-file.ts'
import { recoverAll } from './recover.ts'

/** Makes whole recordings of what an earlier run of the server left unfinished, of all virtual hosts that record. */
export async function recoverAtStart(config: Config, logger: Logger, listener: DvrListener): Promise<void> {
  const recording = Object.values(config.vhosts).filter(({ enabled, dvr }) => enabled && dvr.enabled)
  const roots = new Set(
    recording.map(({ dvr }) => resolve(splitTemplate(recordingTemplate(dvr.dvrPath)).root)),
  )
  for (const root of roots) {
    for (const file of await recoverAll(root, logger)) {
      const recorded = await recordedFile(file, logger)
      if (recorded !== null) listener.onRecorded(recorded, null)
    }
  }
}
