-- Purpose: `now` is the Redis server's time in ms, so that nodes with clocks of their own agree on when a lease ends.

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
