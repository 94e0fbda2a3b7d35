import { afterAll, afterEach, beforeAll } from 'vitest'
import { Server, type ServerOptions } from './server.ts'

/**
 * One server for all tests of a file or a group: to start one and to end it takes a second. Each test has streams, files
 * and lines of the log that are its own.
 * @returns gives the server to a test
 */
export function sharedServer(options: ServerOptions = {}): () => Server {
  let server: Server | null = null
  beforeAll(async () => {
    server = await Server.prepareShared(options)
    await server.start()
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') server?.showLog()
  })
  afterAll(() => server?.cleanUp())
  return () => {
    if (server === null) throw new Error('the server has not started')
    return server
  }
}
