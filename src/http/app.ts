import { createServer, type RequestListener } from 'node:http'
import { type FastifyInstance, fastify } from 'fastify'

/** Longest name in a path: that of a virtual host. */
const maxParamLength = 255

/** Longest body of a request. */
const bodyLimitBytes = 64 * 1024

/** A Fastify application that listens nowhere by itself: its requests come from the worker's ports. */
export interface App {
  readonly fastify: FastifyInstance
  readonly handle: RequestListener
}

/**
 * Makes an application. Its ports, their limits and cross-origin rules are the worker's: one application may be
 * served on several ports, and another one take its place there.
 */
export function createApp({ ignoreTrailingSlash = false } = {}): App {
  let handle: RequestListener | null = null
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    routerOptions: { ignoreTrailingSlash, maxParamLength },
    // The handler is all that is wanted of this server: it never listens.
    serverFactory: (handler) => {
      handle = handler
      return createServer()
    },
  })
  if (handle === null) throw new Error('fastify made no server')
  return { fastify: app, handle }
}
