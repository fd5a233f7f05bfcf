-- Purpose: tells whether a window has room for another hit, without counting one.
-- KEYS[1]  the counter, as rate-limit-hit.lua keeps it
-- ARGV[1]  limit, hits
-- Replies  0 where another hit is within the limit, else the ms until the window ends

local hits = tonumber(redis.call('GET', KEYS[1]) or '0')
if hits < tonumber(ARGV[1]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))
