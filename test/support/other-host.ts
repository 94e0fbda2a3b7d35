import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../src/base/errors.ts'

const program = fileURLToPath(new URL('other-host-server.ts', import.meta.url))

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 })
}

/**
 * Another host, as far as the network goes: an RTMP server (other-host-server.ts) in a network namespace of its own, behind a
 * pair of virtual interfaces. What is sent to it can get lost on the way, as in a network that is cut: no proxy answers for it.
 * That needs Linux, root, util-linux and iproute2.
 */
export class OtherHost {
  /** `rtmp://host:port` */
  readonly url: string
  /** Bytes that it has got of what is published there. */
  published = 0
  readonly #child: ChildProcess
  readonly #name: string
  readonly #here: string

  /** Whether this machine can have one; if not, it says why, and which tests are left out. */
  static isPossible(tests: string): boolean {
    try {
      run('unshare', '-n', 'ip', 'link', 'add', 'weir0', 'type', 'veth', 'peer', 'name', 'weir1')
      return true
    } catch (error) {
      console.warn(`${tests}: left out, there is no network namespace: ${messageOf(error)}`)
      return false
    }
  }

  static async start(): Promise<OtherHost> {
    const child = spawn('unshare', ['-n', process.execPath, program], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    const [port] = (await once(lines, 'line')) as [string]
    // Of what is for tests of devices (RFC 2544); others may run beside this one.
    const subnet = 4 * ((child.pid ?? 0) % 32_768)
    const [here, there] = [1, 2].map(
      (host) => `198.${18 + (subnet >> 16)}.${(subnet >> 8) & 255}.${(subnet & 255) + host}`,
    )
    const name = `weir${child.pid}`
    const inside = (...args: string[]): void => run('nsenter', '-t', `${child.pid}`, '-n', 'ip', ...args)
    run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'weir', 'netns', `${child.pid}`)
    run('ip', 'addr', 'add', `${here}/30`, 'dev', name)
    run('ip', 'link', 'set', name, 'up')
    inside('addr', 'add', `${there}/30`, 'dev', 'weir')
    inside('link', 'set', 'weir', 'up')
    const host = new OtherHost(`rtmp://${there}:${port}`, child, name, here!)
    lines.on('line', (line) => {
      host.published = Number(line)
    })
    return host
  }

  private constructor(url: string, child: ChildProcess, name: string, here: string) {
    this.url = url
    this.#child = child
    this.#name = name
    this.#here = here
  }

  /** From now on whatever it sends is lost: it acknowledges nothing, answers nothing, and closes nothing. */
  cut(): void {
    this.#route('add')
  }

  /** Its packets arrive again. */
  heal(): void {
    this.#route('del')
  }

  async end(): Promise<void> {
    // The namespace stays as long as its sockets send into the dark.
    run('ip', 'link', 'del', this.#name)
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #route(what: 'add' | 'del'): void {
    run('nsenter', '-t', `${this.#child.pid}`, '-n', 'ip', 'route', what, 'blackhole', `${this.#here}/32`)
  }
}
