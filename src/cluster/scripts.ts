/**
 * What is done inside of Redis, which does one script after the other: nothing comes between what they look at and what
 * they write. Each takes one key alone, so that a Redis Cluster needs no hash tags. They take the time from Redis, since
 * the clocks of nodes differ; that needs Redis 5 or later.
 */

const nowMs = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/**
 * Takes a stream, or renews the lease that there is: who owns it is a hash with an expiry.
 *
 * KEYS: the stream's. ARGV: 1 token of this taking, 2 boot id of the server, 3 milliseconds since it was started, 4 lease in
 * milliseconds, 5 milliseconds since the stream is here, 6 whether that is firm (1, 0), 7 node, 8 rtmp, 9 http,
 * 10 channel on which a new owner is told, 11 the stream.
 *
 * Returns nil when the stream is the caller's, else node, rtmp, http, the owner's lease and the milliseconds left of it.
 */
const claim = `${nowMs}
local since = now - ARGV[5]
local started = now - ARGV[3]
local held = redis.call('HMGET', KEYS[1], 'token', 'boot', 'node', 'started', 'firm', 'since')
local mine = held[2] == ARGV[2]
if held[1] and not mine then
  local earlier_me = held[3] == ARGV[7] and tonumber(held[4]) < started
  local older_me = held[5] == '0' and since < tonumber(held[6])
  if not earlier_me and not older_me then
    local owner = redis.call('HMGET', KEYS[1], 'node', 'rtmp', 'http', 'lease')
    owner[5] = redis.call('PTTL', KEYS[1])
    return owner
  end
end
if held[1] ~= ARGV[1] or held[5] ~= ARGV[6] then
  redis.call('HSET', KEYS[1], 'token', ARGV[1], 'boot', ARGV[2], 'started', string.format('%.0f', started),
    'since', string.format('%.0f', since), 'firm', ARGV[6], 'lease', ARGV[4], 'node', ARGV[7], 'rtmp', ARGV[8], 'http', ARGV[9])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if not mine then redis.call('PUBLISH', ARGV[10], ARGV[11]) end
return nil
`

/** Gives a stream back. KEYS: the stream's. ARGV: the token with which it was taken. */
const release = `
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`

/**
 * Says that a node lives. KEYS: that of all nodes. ARGV: 1 node, 2 boot id, 3 what is told of it, 4 milliseconds after which
 * the whole list is forgotten. Returns what was there of the node before: \`BOOT TIME TEXT\`, or nil.
 */
const announce = `${nowMs}
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now) .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return before
`

/** Says that a node has left. KEYS: that of all nodes. ARGV: 1 node, 2 boot id. */
const leave = `
local told = redis.call('HGET', KEYS[1], ARGV[1])
if told and string.sub(told, 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then redis.call('HDEL', KEYS[1], ARGV[1]) end
return nil
`

/**
 * All nodes. KEYS: that of all nodes. ARGV: milliseconds after which a silent one is forgotten. Returns for each its name, the
 * milliseconds since it was heard of, and what it told.
 */
const nodes = `${nowMs}
local all = redis.call('HGETALL', KEYS[1])
local found = {}
for i = 1, #all, 2 do
  local boot, seen, text = string.match(all[i + 1], '^(%S+) (%d+) (.*)$')
  local age = seen and now - seen
  if not age or age > tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    table.insert(found, { all[i], string.format('%.0f', age), text })
  end
end
return found
`

/** Lists streams as present. KEYS: that of the list. ARGV: 1 milliseconds for which they are, 2… the streams. */
const list = `${nowMs}
local until_ms = string.format('%.0f', now + ARGV[1])
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], until_ms, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 10)
return nil
`

/** A page of the list. KEYS: that of the list. ARGV: 1 from which on, 2 how many. Returns how many there are in all, then the page. */
const page = `${nowMs}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local total = redis.call('ZCARD', KEYS[1])
local found = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[1] + ARGV[2] - 1)
table.insert(found, 1, total)
return found
`

/** All of them, by the names under which they are called; each takes one key. */
export const scripts = { claim, release, announce, leave, nodes, list, page } as const

export type ScriptName = keyof typeof scripts
