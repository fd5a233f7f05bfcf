-- Purpose: opens a session and ends the user's oldest ones beyond the bound, in one step, so that parallel logins keep
--          the bound.
-- KEYS[1]  the session; its name is a prefix that all sessions share, followed by the token's hash
-- KEYS[2]  the user's sessions: hashes by opening time, µs of the Redis server's clock
-- ARGV[1]  user id
-- ARGV[2]  life of a session, ms
-- ARGV[3]  sessions that a user may have
-- ARGV[4]  the token's hash
-- Replies  the number of dropped sessions

local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local prefix = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[4])
local oldest = redis.call('ZRANGE', KEYS[2], 0, -1 - tonumber(ARGV[3]))
for _, hash in ipairs(oldest) do
  redis.call('DEL', prefix .. hash)
  redis.call('ZREM', KEYS[2], hash)
end
return #oldest
