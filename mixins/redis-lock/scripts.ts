/**
 * Purpose: take all free locks of a list in one step. KEYS[1] the fencing counter, KEYS[2..] the locks. ARGV[1] owner
 * token, ARGV[2] TTL in ms. Replies {fencing token, 1 or 0 for each lock in order}.
 */
export const acquireScript = `
local reply = { redis.call('INCR', KEYS[1]) }
for i = 2, #KEYS do
  if redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2]) then reply[i] = 1 else reply[i] = 0 end
end
return reply`;

/**
 * Purpose: make held locks last longer, ours only. KEYS the locks. ARGV[1] owner token, ARGV[2] TTL in ms. Replies how
 * many are still ours.
 */
export const renewScript = `
local kept = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
    kept = kept + 1
  end
end
return kept`;

/** Purpose: give locks back, ours only. KEYS the locks. ARGV[1] owner token. Replies how many were still ours. */
export const releaseScript = `
local released = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    redis.call('DEL', KEYS[i])
    released = released + 1
  end
end
return released`;
