import { execFileSync } from 'node:child_process'
import { type Browser, chromium } from 'playwright-core'

/** What keeps Chromium to itself: no sandbox (tests may run as root), no traffic of its own, no GPU. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]

/** The system's Chromium, without a window. Whoever starts it closes it. */
export function startBrowser(): Promise<Browser> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
  return chromium.launch({ executablePath, args: flags })
}
