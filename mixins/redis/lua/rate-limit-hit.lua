-- Purpose: counts a hit in a window and checks the limit, in one step, so that parallel requests cannot exceed it.
-- KEYS[1]  the counter
-- ARGV[1]  limit, hits
-- ARGV[2]  length of the window, ms; it begins with its first hit
-- Replies  0 where the hit is within the limit, else the ms until the window ends

local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if hits <= tonumber(ARGV[1]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))
