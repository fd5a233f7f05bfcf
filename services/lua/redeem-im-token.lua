-- Purpose: uses a token up and gives its connection a generation: the time in µs, or one more than the last generation
--          where the clock has been set back.
-- KEYS[1]  the token
-- KEYS[2]  the last generation
-- Replies  {user id, generation}, or nil where the token is bad, used or too old

local user = redis.call('GETDEL', KEYS[1])
if not user then return nil end
local t = redis.call('TIME')
local generation = math.max(t[1] * 1000000 + t[2], tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
redis.call('SET', KEYS[2], string.format('%.0f', generation))
return {user, generation}
