import type { VhostConfig } from '../config/config.ts'
import { type AccessCheck, accepted, type Verdict } from './access-check.ts'
import { AddressList } from './address-list.ts'

type Security = VhostConfig['security']
type Action = 'publish' | 'play'

interface Lists {
  readonly denied: AddressList
  readonly allowed: AddressList
}

/** The rules of an action as lists, for as long as a configuration is in force. */
const known = new WeakMap<Security, Record<Action, Lists>>()

/** `security`: from which addresses clients may publish and play. */
export const security: AccessCheck = {
  name: 'security',
  applies: (action, vhost) => action !== 'connect' && vhost.security.enabled,
  check: ({ action, ip }, vhost) =>
    action === 'connect' ? accepted : decideByAddress(vhost.security, action, ip),
}

/**
 * Decides as SRS does. A `deny` that names the address refuses it, whatever else there is; then an `allow` that
 * names it lets it in. Who is named by none is let in only if all rules there are, of both actions, are denials: one
 * `allow` anywhere, or no rule at all, closes the rest.
 */
export function decideByAddress(security: Security, action: Action, ip: string): Verdict {
  const { denied, allowed } = listsOf(security)[action]
  if (denied.has(ip)) return refusal(`${action} is denied to ${ip}`)
  const isOpen = security.allow.length === 0 && security.deny.length > 0
  return isOpen || allowed.has(ip) ? accepted : refusal(`${action} is allowed to others, not to ${ip}`)
}

function listsOf(security: Security): Record<Action, Lists> {
  let lists = known.get(security)
  if (lists === undefined) {
    const of = (action: Action, rules: Security['allow']): AddressList =>
      new AddressList(rules.filter((rule) => rule.action === action).map(({ address }) => address))
    const both = (action: Action): Lists => ({
      denied: of(action, security.deny),
      allowed: of(action, security.allow),
    })
    lists = { publish: both('publish'), play: both('play') }
    known.set(security, lists)
  }
  return lists
}

function refusal(message: string): Verdict {
  return { ok: false, code: 'ADDRESS_DENIED', message }
}
