-- Purpose: makes a connection the user's one, makes its node a node of the room, and replies the room's position, in one
--          step, so that every frame numbered later finds the node. Needs now.lua and frames-after.lua before it.
-- KEYS[1]  the user's entry (hash node, conn, room, since, generation)
-- KEYS[2]  the room's state
-- KEYS[3]  the room's log
-- KEYS[4]  the room's nodes
-- KEYS[5]  the mark of a room that was just closed
-- ARGV[1]  node id
-- ARGV[2]  connection id
-- ARGV[3]  room id
-- ARGV[4]  since when it is connected, ISO time
-- ARGV[5]  lease, ms
-- ARGV[6]  epoch for a room that has none
-- ARGV[7]  ms to keep a room's state
-- ARGV[8]  seq that the client saw last, '' where it saw none
-- ARGV[9]  epoch that the client saw last, '' where it saw none
-- ARGV[10] generation of the connection
-- Replies  {0} where the room was just closed
--          {2} where the user's entry is of a higher generation: a node that was paused must not put an old connection
--          over the newer one
--          else {1, node and connection that were the user's until now ('' where none), epoch, seq, 1 where the client
--          has all that it missed or 0, the frames to replay, each followed by its number}

if redis.call('EXISTS', KEYS[5]) == 1 then return {0} end
local old = redis.call('HMGET', KEYS[1], 'node', 'conn', 'generation')
if tonumber(old[3] or 0) > tonumber(ARGV[10]) then return {2} end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'conn', ARGV[2], 'room', ARGV[3], 'since', ARGV[4], 'generation', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[4], now + ARGV[5], ARGV[1])
redis.call('PEXPIRE', KEYS[4], ARGV[5])
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
  epoch = ARGV[6]
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'seq', 0, 'born', now)
  redis.call('DEL', KEYS[3])
end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
local seq = tonumber(redis.call('HGET', KEYS[2], 'seq'))
local frames = nil
if ARGV[8] ~= '' and ARGV[9] == epoch then
  frames = frames_after(KEYS[2], KEYS[3], ARGV[8])
end
return {1, old[1] or '', old[2] or '', epoch, seq, frames and 1 or 0, frames or {}}
