import { execFileSync } from 'node:child_process'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

/** What a page has of a media element's time (HTML standard, TimeRanges). */
interface PlayedRanges {
  readonly length: number
  start(index: number): number
  end(index: number): number
}

/** A page, and what it did that a page of the server must not do. */
export class WatchedPage {
  readonly page: Page
  /** Errors of scripts, and what the browser complained about. */
  readonly errors: string[] = []
  /** Hosts that it asked for anything, over HTTP and WebSocket. */
  readonly hosts = new Set<string>()

  /** A page that is closed when the test has finished. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<WatchedPage> {
    const context = await browser.newContext(options)
    onTestFinished(() => context.close())
    const watched = new WatchedPage(await context.newPage())
    await watched.page.goto(url)
    return watched
  }

  private constructor(page: Page) {
    this.page = page
    page.on('pageerror', (error) => this.errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.errors.push(message.text())
    })
    page.on('request', (request) => this.#note(request.url()))
    page.on('websocket', (socket) => this.#note(socket.url()))
  }

  /** A figure that the player shows: `Stalls`. */
  figure(name: string): Promise<string | null> {
    return this.page.locator('.figures div', { hasText: name }).locator('dd').textContent()
  }

  /** What has played without a leap, in seconds, up to now; 0 before anything does. */
  async playedInOnePiece(): Promise<number> {
    const lengths = await this.page.locator('video').evaluateAll((videos) =>
      videos.map((video) => {
        const { played } = video as unknown as { played: PlayedRanges }
        return played.length === 0 ? 0 : played.end(played.length - 1) - played.start(played.length - 1)
      }),
    )
    return lengths[0] ?? 0
  }

  #note(url: string): void {
    const { protocol, hostname } = new URL(url)
    // Data that the page has itself: media sources, icons.
    if (protocol !== 'blob:' && protocol !== 'data:') this.hosts.add(hostname)
  }
}

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number]

/**
 * Colours in a picture that the browser took.
 * @param points in parts of its width and height
 */
export function coloursOf(png: Buffer, points: readonly (readonly [number, number])[]): Colour[] {
  // The IHDR chunk is the first one: its width and height.
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const decode = '-loglevel error -i pipe:0 -f rawvideo -pix_fmt rgb24 pipe:1'.split(' ')
  const pixels = execFileSync('ffmpeg', decode, { input: png, maxBuffer: width * height * 3 })
  return points.map(([x, y]): Colour => {
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 3
    return [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!]
  })
}
