-- Purpose: what a room sent after a position. In an epoch other than the asked one that is everything since its start.
--          Needs frames-after.lua before it.
-- KEYS[1]  the room's state
-- KEYS[2]  the room's log
-- ARGV[1]  epoch
-- ARGV[2]  seq
-- Replies  {epoch or '', seq, 1 where the frames are complete or 0, the frames, each followed by its number}

local at = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
if not at[1] then return {'', 0, 0, {}} end
local frames = frames_after(KEYS[1], KEYS[2], at[1] == ARGV[1] and ARGV[2] or '0')
return {at[1], tonumber(at[2]), frames and 1 or 0, frames or {}}
