/**
 * Takes or renews a lock for its owner. KEYS: lock, index of locks. ARGV: owner, lock as JSON, ttl in ms, name. Returns 0
 * when another owner holds it.
 */
export const LOCK_SCRIPT = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'lock', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
return 1
`;

/** Gives a lock up. KEYS: lock, index of locks. ARGV: owner, name. Returns 0 when another owner holds it. */
export const UNLOCK_SCRIPT = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[2])
return 1
`;
