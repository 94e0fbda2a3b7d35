/** An answer that is not the one which was asked for; its code is `HTTP_404` and the like. */
export class StatusError extends Error {
  readonly code: string

  constructor(status: number, url: URL) {
    super(`${url.pathname} was answered with ${status}`)
    this.name = 'StatusError'
    this.code = `HTTP_${status}`
  }
}
