import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { displayName } from '../../live/stream-key.ts'
import { type HlsConfig, namesOf, storeOptions } from './options.ts'
import { PlaylistStore } from './playlist-store.ts'

/**
 * Deletes what HLS wrote of a stream that no process holds any more (`hls_dispose`). That it cannot is told in the log.
 * @param stream the stream's id
 * @param utc `utc_time`
 */
export async function disposeHls(
  stream: string,
  config: HlsConfig,
  utc: boolean,
  logger: Logger,
): Promise<void> {
  const log = logger.child({ stream: displayName(stream) })
  try {
    await disposeStore(new PlaylistStore(namesOf(stream, config, utc), storeOptions(config), log), log)
  } catch (error) {
    log.error({ code: codeOf(error), reason: messageOf(error) }, 'hls: cannot be deleted')
  }
}

/** Deletes the files of a store. That it cannot is told in the log. */
export async function disposeStore(store: PlaylistStore, logger: Logger): Promise<void> {
  try {
    await store.dispose()
    logger.info({ file: store.names.playlistFile }, 'hls: deleted')
  } catch (error) {
    logger.error({ code: 'HLS_WRITE', reason: messageOf(error) }, 'hls: cannot be deleted')
  }
}
