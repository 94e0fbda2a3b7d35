import { monotonicMs } from '../base/clock.ts'
import { codeOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Admission } from './admission.ts'
import type { BandwidthChecks } from './bandwidth-checks.ts'
import type { StreamRegistry } from './registry.ts'
import type { SourceTable } from './source-table.ts'
import type { ToldBytes } from './told-bytes.ts'
import type { VisitLedger } from './visit-ledger.ts'
import type { WorkerHandle, WorkMessage } from './worker-handle.ts'

/** The parts of the master that workers with clients have to do with. */
export interface ClientDesk {
  readonly admission: Admission
  readonly table: SourceTable
  readonly visits: VisitLedger
  readonly told: ToldBytes
  readonly registry: StreamRegistry
  readonly bandwidthChecks: BandwidthChecks
  readonly logger: Logger
  /** Has processes asked, and the worker told what they answered. */
  report(worker: WorkerHandle, message: Extract<WorkMessage, { t: 'inquire' }>): Promise<void>
}

/**
 * Hands what a worker with clients (stream or http) says to the part of the master that it is for.
 * @throws WeirError IPC_FRAME when it is nothing that such a worker says
 */
export function handleClientMessage(worker: WorkerHandle, message: WorkMessage, desk: ClientDesk): void {
  switch (message.t) {
    case 'admit': {
      const refusal = desk.admission.admit(worker, message.connectionId, message.ip)
      worker.send({ t: 'admission', connectionId: message.connectionId, refusal })
      break
    }
    case 'left':
      desk.admission.left(worker, message.connectionId, message.failed)
      break
    case 'check-bandwidth':
      worker.send(desk.bandwidthChecks.answer(message, monotonicMs()))
      break
    case 'publish':
      desk.table.publish(worker, message).catch((error: unknown) => {
        desk.logger.error({ code: codeOf(error), err: error }, 'a publish could not be decided')
      })
      break
    case 'unpublish':
      desk.table.unpublish(worker, message.publishId, message.stream)
      break
    case 'publish-checked':
      desk.table.checked(worker, message.request, message.alive)
      break
    case 'locate':
      void tellPlace(worker, message, desk)
      break
    case 'visit-began':
    case 'visit-ended':
      desk.visits.onMessage(worker, message)
      break
    case 'watch':
      desk.table.watch(worker, message.stream, message.route)
      break
    case 'downstream':
      desk.table.watchers.addRoute(message.stream, message.route)
      break
    case 'unwatch':
      desk.told.onUnwatch(worker, message.stream)
      desk.table.unwatch(worker, message.stream, message.bytesOut)
      break
    case 'inquire':
      desk.report(worker, message).catch((error: unknown) => {
        desk.logger.error({ code: codeOf(error), err: error }, 'an inquiry could not be answered')
      })
      break
    default:
      throw new WeirError('IPC_FRAME', `${worker.name} sent ${message.t}`)
  }
}

/** Tells a worker which other node has a stream; none, if that cannot be known. */
async function tellPlace(
  worker: WorkerHandle,
  { request, stream }: Extract<WorkMessage, { t: 'locate' }>,
  { registry, logger }: ClientDesk,
): Promise<void> {
  const owner = await registry.locate(stream).catch((error: unknown) => {
    logger.error({ code: codeOf(error), err: error }, 'a stream could not be looked for')
    return null
  })
  const { node = '', rtmp = '', http = '' } = owner ?? {}
  worker.send({ t: 'located', request, node, rtmp, http })
}
