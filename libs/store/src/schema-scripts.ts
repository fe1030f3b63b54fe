/**
 * A program says that it is there. KEYS: layout, programs, migration. ARGV: number of shards, version of the program, its
 * name, ms until it has to say so again.
 *
 * Returns {'ok', version of the store, lowest version of a program, generation}, or {'layout' | 'version', of the store} or
 * {'program', version of another program}. The generation grows whenever a program comes that may write an older form than
 * others have seen: what is known of shards until then no longer holds. Such a program takes the store back to its version.
 */
export const ANNOUNCE_SCRIPT = `
local call = redis.call
local version, name = tonumber(ARGV[2]), ARGV[3]
local layout = call('GET', KEYS[1])
local wanted = '{"shards":' .. ARGV[1] .. ',"schema":' .. ARGV[2] .. '}'
if not layout then
  layout = wanted
  call('SET', KEYS[1], layout)
end
local shards, stored = string.match(layout, '^{"shards":(%d+),"schema":(%d+)}$')
if shards ~= ARGV[1] then return {'layout', layout} end
stored = tonumber(stored)
if math.abs(stored - version) > 1 then return {'version', tostring(stored)} end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lowest, highest, isKnown = version, version, false
local programs = call('HGETALL', KEYS[2])
for i = 1, #programs, 2 do
  local theirs, until_ = string.match(programs[i + 1], '^(%d+) (%d+)$')
  theirs = tonumber(theirs)
  if tonumber(until_) < now then
    call('HDEL', KEYS[2], programs[i])
  elseif programs[i] == name then
    isKnown = true
  else
    if math.abs(theirs - version) > 1 then return {'program', tostring(theirs)} end
    lowest, highest = math.min(lowest, theirs), math.max(highest, theirs)
  end
end

local target = tonumber(call('HGET', KEYS[3], 'target') or ARGV[2])
if not isKnown and version < math.max(highest, target, stored) then call('HINCRBY', KEYS[3], 'generation', 1) end
call('HSET', KEYS[3], 'target', math.max(target, version))
if stored > version then
  call('SET', KEYS[1], wanted)
  stored = version
end
call('HSET', KEYS[2], name, ARGV[2] .. ' ' .. string.format('%.0f', now + tonumber(ARGV[4])))
return {'ok', tostring(stored), tostring(lowest), call('HGET', KEYS[3], 'generation') or '0'}
`;

/**
 * All records are of a version now, if nothing has come in between. KEYS: layout, programs, migration. ARGV: number of shards,
 * version, generation. Returns 1 or 0.
 */
export const RAISE_SCRIPT = `
local call = redis.call
if (call('HGET', KEYS[3], 'generation') or '0') ~= ARGV[3] then return 0 end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local programs = call('HVALS', KEYS[2])
for i = 1, #programs do
  local theirs, until_ = string.match(programs[i], '^(%d+) (%d+)$')
  if tonumber(until_) >= now and tonumber(theirs) < tonumber(ARGV[2]) then return 0 end
end
call('SET', KEYS[1], '{"shards":' .. ARGV[1] .. ',"schema":' .. ARGV[2] .. '}')
return 1
`;
