/**
 * The one script through which everything is written. It knows nothing of what the records mean: given what the caller
 * has read, it applies all writes or none.
 *
 * KEYS[1] meta hash of the shard (`seq`: number of its last event, `fence:<role>`: highest token seen)
 * KEYS[2] event stream of the shard
 * KEYS[3…] the hashes and ordered sets that checks and writes refer to by position
 *
 * ARGV: role, token ('' = not fenced), kept events,
 *       number of groups of checks, then of each: type, key position, number of arguments, arguments. Types: 'versions'
 *       (record, version, …; '' = absent), 'score' (member, score, …), 'count' (prefix, how many members begin so, …)
 *       number of writes, then of each: command, key position, number of arguments, arguments
 *       number of entries of the log, then of each: number of events, number of arguments, fields and values
 *       longest entry that is published, message, then the channels to publish it on. If there is one entry and it is not
 *       longer, the message goes on with the number of its last event, how many it has, and a line for each field and value
 *
 * A hash value is `<version> <JSON>`; a version check compares what stands before the first space. An entry of the log
 * has the number of its last event.
 * Returns {1, number of the last event} or {0, 'conflict' | 'fenced', detail}.
 */
export const COMMIT_SCRIPT = `
local call, KEYS, ARGV = redis.call, KEYS, ARGV
local role, token, kept = ARGV[1], ARGV[2], tonumber(ARGV[3])

if role ~= '' then
  local highest = call('HGET', KEYS[1], 'fence:' .. role)
  if highest and tonumber(token) < tonumber(highest) then return {0, 'fenced', highest} end
  if highest ~= token then call('HSET', KEYS[1], 'fence:' .. role, token) end
end

local at = 5
for _ = 1, tonumber(ARGV[4]) do
  local kind, key, first, last = ARGV[at], KEYS[tonumber(ARGV[at + 1])], at + 3, at + 2 + tonumber(ARGV[at + 2])
  at = last + 1
  local values
  if kind == 'versions' then
    local fields = {}
    for i = first, last, 2 do fields[#fields + 1] = ARGV[i] end
    values = call('HMGET', key, unpack(fields))
  end
  for i = first, last, 2 do
    local name, expected, holds = ARGV[i], ARGV[i + 1], false
    if kind == 'versions' then
      local value = values[(i - first) / 2 + 1]
      if expected == '' then holds = not value
      else holds = value and string.sub(value, 1, #expected + 1) == expected .. ' ' end
    elseif kind == 'count' then
      holds = call('ZLEXCOUNT', key, '[' .. name, '[' .. name .. '\\255') == tonumber(expected)
    else
      -- As numbers: there is more than one way to write a large one.
      holds = tonumber(call('ZSCORE', key, name) or '') == tonumber(expected)
    end
    if not holds then return {0, 'conflict', name} end
  end
end

local writes = tonumber(ARGV[at])
at = at + 1
for _ = 1, writes do
  local last = at + 2 + tonumber(ARGV[at + 2])
  call(ARGV[at], KEYS[tonumber(ARGV[at + 1])], unpack(ARGV, at + 3, last))
  at = last + 1
end

local entries = tonumber(ARGV[at])
at = at + 1
local seq, count, said = 0, 0, ''
if entries > 0 then
  local now = call('TIME')
  local ms = now[1] .. string.format('%03d', math.floor(now[2] / 1000))
  for _ = 1, entries do
    count = ARGV[at]
    seq = call('HINCRBY', KEYS[1], 'seq', count)
    local last = at + 1 + tonumber(ARGV[at + 1])
    call('XADD', KEYS[2], 'MINID', '~', math.max(0, seq - kept), seq .. '-0', 'at', ms, unpack(ARGV, at + 2, last))
    if entries == 1 then said = table.concat(ARGV, '\\n', at + 2, last) end
    at = last + 1
  end
end

local message = ARGV[at + 1]
if said ~= '' and #said <= tonumber(ARGV[at]) then
  message = message .. ' ' .. seq .. ' ' .. count .. '\\n' .. said
end
for i = at + 2, #ARGV do call('PUBLISH', ARGV[i], message) end
return {1, seq}
`;

/**
 * Takes a lease if nobody holds it. KEYS: lease, token counter. ARGV: ttl in ms. Returns the fencing token or nil. The token
 * is the time in ms, or one more than the last: it grows also when a failover has lost the last ones that were given.
 */
export const ACQUIRE_LEASE_SCRIPT = `
if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local token = math.max(ms, tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text)
redis.call('SET', KEYS[1], text, 'PX', ARGV[1])
return token
`;

/** Keeps a lease if this token still holds it. KEYS: lease. ARGV: token, ttl in ms (0 = give it up). Returns 1 or 0. */
export const RENEW_LEASE_SCRIPT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
