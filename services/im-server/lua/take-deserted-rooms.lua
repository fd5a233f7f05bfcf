-- Purpose: takes out the watched rooms that nobody has renewed: their last members left a lease ago, or their nodes died
--          with all members. Needs now.lua before it.
-- KEYS[1]  the watched rooms
-- ARGV[1]  most rooms
-- Replies  their ids

local rooms = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, room in ipairs(rooms) do redis.call('ZREM', KEYS[1], room) end
return rooms
