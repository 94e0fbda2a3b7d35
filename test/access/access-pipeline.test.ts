import { describe, expect, test } from 'vitest'
import { accepted, type Verdict } from '../../src/access/access-check.ts'
import { AccessPipeline } from '../../src/access/access-pipeline.ts'
import { accessRequest, FakeCheck } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'

const vhost = vhostConfigOf()
const refused: Verdict = { ok: false, code: 'ACCESS_FAILED', message: 'no' }

function setUp() {
  const { logger, lines } = recordingLogger()
  const [security, auth, hooks] = [new FakeCheck('security'), new FakeCheck('auth'), new FakeCheck('hooks')]
  const access = new AccessPipeline(logger, [security, auth], [hooks])
  return { access, security, auth, hooks, lines }
}

describe('the pipeline', () => {
  test('does nothing where no check applies', () => {
    const { access, ...checks } = setUp()
    for (const check of [checks.security, checks.auth, checks.hooks]) check.isWanted = false
    expect(access.applies('play', vhost)).toBe(false)
    expect(access.check(accessRequest(), vhost)).toBe(accepted)
    expect(checks.security.asked).toStrictEqual([])
  })

  test.each(['security', 'auth', 'hooks'] as const)('applies where %s alone does', (name) => {
    const { access, ...checks } = setUp()
    for (const check of [checks.security, checks.auth, checks.hooks]) check.isWanted = false
    checks[name].isWanted = true
    expect(access.applies('play', vhost)).toBe(true)
    access.check(accessRequest(), vhost)
    expect(checks[name].asked).toStrictEqual([accessRequest()])
  })

  test('decides at once where nobody has to wait', () => {
    const { access, hooks } = setUp()
    const verdict = access.check(accessRequest(), vhost)
    expect(verdict).toMatchObject({ ok: true })
    expect(hooks.asked).toHaveLength(1)
  })

  test('asks one check after the other, and nobody behind one that refuses', async () => {
    const { access, security, auth, hooks } = setUp()
    security.waits = true
    const decision = access.check(accessRequest(), vhost)
    expect(auth.asked).toHaveLength(0)
    security.answer(security.accepting(accessRequest()))
    auth.verdict = refused
    expect(await decision).toBe(refused)
    expect(hooks.asked).toHaveLength(0)
    // What had let it in hears that it is over.
    expect(security.ended).toStrictEqual(['play'])
  })

  test('tells all who let a client in of its end', async () => {
    const { access, security, auth, hooks } = setUp()
    hooks.waits = true
    const decision = access.check(accessRequest(), vhost)
    hooks.answer(hooks.accepting(accessRequest()))
    const verdict = await decision
    if (verdict.ok) verdict.end?.({ sendBytes: 1, recvBytes: 2 })
    for (const check of [security, auth, hooks]) {
      expect(check.traffic).toStrictEqual([{ sendBytes: 1, recvBytes: 2 }])
    }
  })

  test.each(['throws', 'rejects'])('refuses when a check %s', async (how) => {
    const { access, auth, hooks, lines } = setUp()
    if (how === 'throws') auth.fails = new Error('a bug')
    else auth.check = () => Promise.reject(new Error('a bug'))
    expect(await access.check(accessRequest(), vhost)).toMatchObject({ ok: false, code: 'ACCESS_FAILED' })
    expect(hooks.asked).toHaveLength(0)
    expect(lines.map(({ msg }) => msg)).toStrictEqual(['access: auth failed: a bug'])
  })

  test('asks whether there is room only before others are asked', async () => {
    const { access, auth, hooks } = setUp()
    const order: string[] = []
    const room = async (): Promise<Verdict> => {
      order.push(`room ${auth.asked.length} ${hooks.asked.length}`)
      return refused
    }
    expect(await access.check(accessRequest({ action: 'publish' }), vhost, room)).toBe(refused)
    expect(order).toStrictEqual(['room 1 0'])
    expect(hooks.asked).toHaveLength(0)
    hooks.isWanted = false
    expect(access.check(accessRequest({ action: 'publish' }), vhost, room)).toMatchObject({ ok: true })
    expect(order).toHaveLength(1)
  })

  test('asks nobody else about what is checked locally', () => {
    const { access, auth, hooks } = setUp()
    expect(access.checkLocally(accessRequest(), vhost)).toMatchObject({ ok: true })
    expect(auth.asked).toHaveLength(1)
    expect(hooks.asked).toHaveLength(0)
  })
})
