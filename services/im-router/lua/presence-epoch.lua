-- Purpose: how long the presence in Redis has been complete. A new epoch of the presence begins when Redis has lost the
--          last one, or when no im-server of the last call is left: every client has to connect again then.
-- KEYS[1]  the presence's epoch (hash epoch, born)
-- KEYS[2]  the im-servers of the last call (set)
-- ARGV[1]  id of a new epoch
-- then     the live im-servers
-- Replies  {epoch, its age in ms}, or nil where there is no im-server

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if #ARGV == 1 then
  redis.call('DEL', KEYS[1], KEYS[2])
  return nil
end
local known = false
for i = 2, #ARGV do known = redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1 or known end
local at = redis.call('HMGET', KEYS[1], 'epoch', 'born')
if not known or not at[1] then
  at = {ARGV[1], now}
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'born', now)
end
redis.call('DEL', KEYS[2])
redis.call('SADD', KEYS[2], unpack(ARGV, 2))
return {at[1], now - tonumber(at[2])}
