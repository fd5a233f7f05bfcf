-- Purpose: gives frames the next numbers of their rooms, keeps them in the rooms' capped histories, and replies which nodes
--          hold members, in one step, so that a node that joins either is sent the frame or finds it in the history. A
--          room without state, or one whose state went back behind what was given already, starts a new epoch. While an
--          epoch is new, Redis may have lost its nodes too and they may not have registered again: then there is no list.
--          A history is cut to its newest frames, by their number and by their bytes, which the state counts.
-- KEYS     three for each room: its state (hash epoch, seq, born, bytes), its log (list of frames), its nodes (sorted set)
-- ARGV[1]  epoch for rooms that need one
-- ARGV[2]  frames to keep
-- ARGV[3]  bytes to keep
-- ARGV[4]  ms to keep frames
-- ARGV[5]  ms to keep a room's state
-- ARGV[6]  ms for which an epoch is new
-- then     two for each room: the epoch and seq that were given last ('' and 0 where not known)
-- then     three for each frame: its room (1 is the first), its head and its tail; the frame is what `numberedFrame` in
--          services/im-frames.ts makes of them
-- Replies  {{epoch, seq} of each frame, {nodes} or nil of each room}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local rooms = #KEYS / 3
local epochs, nodes, numbers, bytes = {}, {}, {}, {}
for r = 1, rooms do
  local state = KEYS[r * 3 - 2]
  local at = redis.call('HMGET', state, 'epoch', 'seq', 'born', 'bytes')
  local behind = at[1] == ARGV[5 + r * 2] and tonumber(at[2]) < tonumber(ARGV[6 + r * 2])
  if not at[1] or behind then
    at[1], at[3] = ARGV[1], now
    redis.call('HSET', state, 'epoch', ARGV[1], 'seq', 0, 'born', now)
    redis.call('DEL', KEYS[r * 3 - 1])
  end
  epochs[r] = at[1]
  bytes[r] = redis.call('EXISTS', KEYS[r * 3 - 1]) == 1 and tonumber(at[4] or 0) or 0
  redis.call('ZREMRANGEBYSCORE', KEYS[r * 3], '-inf', now)
  nodes[r] = now - tonumber(at[3] or 0) >= tonumber(ARGV[6]) and redis.call('ZRANGE', KEYS[r * 3], 0, -1)
end
for a = 7 + rooms * 2, #ARGV, 3 do
  local r = tonumber(ARGV[a])
  local seq = redis.call('HINCRBY', KEYS[r * 3 - 2], 'seq', 1)
  local frame = ARGV[a + 1] .. '"seq":' .. seq .. ',"epoch":"' .. epochs[r] .. '"' .. ARGV[a + 2]
  redis.call('RPUSH', KEYS[r * 3 - 1], frame)
  bytes[r] = bytes[r] + #frame
  numbers[#numbers + 1] = {epochs[r], seq}
end
for r = 1, rooms do
  local log, kept = KEYS[r * 3 - 1], redis.call('LLEN', KEYS[r * 3 - 1])
  while kept > tonumber(ARGV[2]) or (bytes[r] > tonumber(ARGV[3]) and kept > 0) do
    bytes[r] = bytes[r] - #redis.call('LPOP', log)
    kept = kept - 1
  end
  redis.call('HSET', KEYS[r * 3 - 2], 'bytes', bytes[r])
  redis.call('PEXPIRE', log, ARGV[4])
  redis.call('PEXPIRE', KEYS[r * 3 - 2], ARGV[5])
end
return {numbers, nodes}
