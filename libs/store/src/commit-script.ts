/**
 * The one script through which everything is written. It knows nothing of what the records mean: given what the caller
 * has read, it applies all writes or none.
 *
 * KEYS[1] meta hash of the shard (`seq`: number of its last event, `fence:<role>`: highest token seen)
 * KEYS[2] event stream of the shard
 * KEYS[3…] the hashes and ordered sets that checks and writes refer to by position
 *
 * ARGV: role, token ('' = not fenced), wake-up channel, wake-up message, kept events,
 *       number of checks, then 4 each: type, key position, field, expected. Types: 'version' of a record ('' = absent),
 *       'score' of a member, 'count' of the members that begin with the field
 *       number of writes, then 4 each: type ('set' | 'del' | 'zadd' | 'zrem'), key position, field, value
 *       number of events, then 1 each: JSON
 *
 * A hash value is `<version> <JSON>`; a version check compares what stands before the first space.
 * Returns {1, number of the last event} or {0, 'conflict' | 'fenced', detail}.
 */
export const COMMIT_SCRIPT = `
local role, token, channel, message, kept = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local at = 6

if role ~= '' then
  local highest = redis.call('HGET', KEYS[1], 'fence:' .. role)
  if highest and tonumber(token) < tonumber(highest) then return {0, 'fenced', highest} end
  if highest ~= token then redis.call('HSET', KEYS[1], 'fence:' .. role, token) end
end

local checks = tonumber(ARGV[at]); at = at + 1
for _ = 1, checks do
  local kind, key, field, expected = ARGV[at], KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]
  at = at + 4
  local actual
  if kind == 'version' then
    local value = redis.call('HGET', key, field)
    actual = value and string.match(value, '^[^ ]*') or ''
  elseif kind == 'count' then
    actual = tostring(redis.call('ZLEXCOUNT', key, '[' .. field, '[' .. field .. '\\255'))
  else
    -- As numbers: there is more than one way to write a large one.
    local score = tonumber(redis.call('ZSCORE', key, field) or '')
    actual = score == tonumber(expected) and expected or ''
  end
  if actual ~= expected then return {0, 'conflict', field} end
end

local writes = tonumber(ARGV[at]); at = at + 1
for _ = 1, writes do
  local kind, key, field, value = ARGV[at], KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]
  at = at + 4
  if kind == 'set' then redis.call('HSET', key, field, value)
  elseif kind == 'del' then redis.call('HDEL', key, field)
  elseif kind == 'zadd' then redis.call('ZADD', key, value, field)
  else redis.call('ZREM', key, field) end
end

local events = tonumber(ARGV[at]); at = at + 1
if events == 0 then return {1, 0} end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', events)
local now = redis.call('TIME')
local ms = now[1] .. string.format('%03d', math.floor(now[2] / 1000))
for i = 1, events do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', kept, (seq - events + i) .. '-0', 'at', ms, 'event', ARGV[at])
  at = at + 1
end
redis.call('PUBLISH', channel, message)
return {1, seq}
`;

/** Takes a lease if nobody holds it. KEYS: lease, token counter. ARGV: ttl in ms. Returns the fencing token or nil. */
export const ACQUIRE_LEASE_SCRIPT = `
if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
local token = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
return token
`;

/** Keeps a lease if this token still holds it. KEYS: lease. ARGV: token, ttl in ms (0 = give it up). Returns 1 or 0. */
export const RENEW_LEASE_SCRIPT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
