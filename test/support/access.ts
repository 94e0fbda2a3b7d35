import type {
  AccessCheck,
  AccessRequest,
  Decision,
  Verdict,
  VisitTraffic,
} from '../../src/access/access-check.ts'

/** A check that keeps what it was asked, and gives the verdicts that a test wants: at once, or when it wants. */
export class FakeCheck implements AccessCheck {
  readonly name: string
  readonly asked: AccessRequest[] = []
  /** What it let in and has ended since: the action, and what was sent and got. */
  readonly ended: string[] = []
  readonly traffic: VisitTraffic[] = []
  readonly #answers: ((verdict: Verdict) => void)[] = []
  isWanted = true
  waits = false
  fails: unknown = null
  verdict: Verdict | null = null

  constructor(name = 'fake') {
    this.name = name
  }

  applies(): boolean {
    return this.isWanted
  }

  check(request: AccessRequest): Decision {
    this.asked.push(request)
    if (this.fails !== null) throw this.fails
    if (!this.waits) return this.verdict ?? this.accepting(request)
    return new Promise((resolve) => this.#answers.push(resolve))
  }

  /** Lets in, and hears of the end. */
  accepting({ action }: Pick<AccessRequest, 'action'>): Verdict {
    return {
      ok: true,
      end: (traffic) => {
        this.ended.push(action)
        this.traffic.push(traffic)
      },
    }
  }

  /** Gives the verdict on the oldest request that waits for one. */
  answer(verdict: Verdict): void {
    this.#answers.shift()!(verdict)
  }
}

export function accessRequest(changed: Partial<AccessRequest> = {}): AccessRequest {
  return {
    action: 'play',
    clientId: 'c1',
    ip: '10.0.0.1',
    vhost: '__defaultVhost__',
    app: 'live',
    stream: 'x',
    param: '?token=1',
    tcUrl: 'rtmp://127.0.0.1/live',
    pageUrl: '',
    swfUrl: '',
    protocol: 'rtmp',
    ...changed,
  }
}
