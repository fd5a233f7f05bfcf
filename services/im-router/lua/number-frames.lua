-- Purpose: gives frames the next numbers of their rooms, keeps them in the rooms' capped histories, and replies which nodes
--          hold members, in one step, so that a node that joins either is sent the frame or finds it in the history. A
--          room without state, or one whose state went back behind what was given already, starts a new epoch. While an
--          epoch is new, Redis may have lost its nodes too and they may not have registered again: then there is no list.
--          A history is cut to its newest frames, by their number and by their bytes, which the state counts. Of the
--          frames that replace each other it keeps the newest, so there are numbers without a frame: `gone` in the state
--          is the number of the last frame that was cut off.
-- KEYS     three for each room: its state (hash epoch, seq, born, bytes, gone, kept, replaced), its log (sorted set of
--          frames by number), its nodes (sorted set)
-- ARGV[1]  epoch for rooms that need one
-- ARGV[2]  frames to keep
-- ARGV[3]  bytes to keep
-- ARGV[4]  ms to keep frames
-- ARGV[5]  ms to keep a room's state
-- ARGV[6]  ms for which an epoch is new
-- then     two for each room: the epoch and seq that were given last ('' and 0 where not known)
-- then     four for each frame: its room (1 is the first), its head, its tail, and 1 where it replaces the room's last
--          such frame; the frame is what `numberedFrame` in services/im-frames.ts makes of them
-- Replies  {{epoch, seq} of each frame, {nodes} or nil of each room}

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local rooms = #KEYS / 3
local epochs, nodes, numbers, bytes, gone, kept, replaced = {}, {}, {}, {}, {}, {}, {}
for r = 1, rooms do
  local state, log = KEYS[r * 3 - 2], KEYS[r * 3 - 1]
  local at = redis.call('HMGET', state, 'epoch', 'seq', 'born', 'bytes', 'gone', 'kept', 'replaced')
  local behind = at[1] == ARGV[5 + r * 2] and tonumber(at[2]) < tonumber(ARGV[6 + r * 2])
  if not at[1] or behind then
    at = {ARGV[1], 0, now, 0, 0, 0, 0}
    redis.call('HSET', state, 'epoch', ARGV[1], 'seq', 0, 'born', now)
    redis.call('DEL', log)
  end
  epochs[r] = at[1]
  bytes[r], gone[r], kept[r] = tonumber(at[4] or 0), tonumber(at[5] or at[2]), tonumber(at[6] or 0)
  replaced[r] = tonumber(at[7] or 0)
  if redis.call('EXISTS', log) == 0 then
    bytes[r], replaced[r] = 0, 0
    gone[r] = math.max(gone[r], kept[r])
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[r * 3], '-inf', now)
  nodes[r] = now - tonumber(at[3] or 0) >= tonumber(ARGV[6]) and redis.call('ZRANGE', KEYS[r * 3], 0, -1)
end
for a = 7 + rooms * 2, #ARGV, 4 do
  local r = tonumber(ARGV[a])
  local log = KEYS[r * 3 - 1]
  local seq = redis.call('HINCRBY', KEYS[r * 3 - 2], 'seq', 1)
  local frame = ARGV[a + 1] .. '"seq":' .. seq .. ',"epoch":"' .. epochs[r] .. '"' .. ARGV[a + 2]
  if ARGV[a + 3] == '1' then
    for _, old in ipairs(redis.call('ZRANGEBYSCORE', log, replaced[r], replaced[r])) do
      redis.call('ZREM', log, old)
      bytes[r] = bytes[r] - #old
    end
    replaced[r] = seq
  end
  redis.call('ZADD', log, seq, frame)
  kept[r] = seq
  bytes[r] = bytes[r] + #frame
  numbers[#numbers + 1] = {epochs[r], seq}
end
for r = 1, rooms do
  local log = KEYS[r * 3 - 1]
  local frames = redis.call('ZCARD', log)
  while frames > tonumber(ARGV[2]) or (bytes[r] > tonumber(ARGV[3]) and frames > 0) do
    local oldest = redis.call('ZPOPMIN', log)
    bytes[r], gone[r] = bytes[r] - #oldest[1], tonumber(oldest[2])
    frames = frames - 1
  end
  redis.call('HSET', KEYS[r * 3 - 2], 'bytes', bytes[r], 'gone', gone[r], 'kept', kept[r], 'replaced', replaced[r])
  redis.call('PEXPIRE', log, ARGV[4])
  redis.call('PEXPIRE', KEYS[r * 3 - 2], ARGV[5])
end
return {numbers, nodes}
