-- Purpose: puts another frame in the place of a chat message in a room's history, under the same number.
-- KEYS[1]  the room's state
-- KEYS[2]  the room's log
-- ARGV[1]  how the frame of the chat message begins: everything up to and with its msgId
-- ARGV[2]  the head of the frame that takes its place
-- ARGV[3]  its tail; the number stands between both, as in number-frames.lua
-- ARGV[4]  the business code of chat
-- then     the users whose messages stay
-- Replies  0 where the history does not have it, 1 where it is removed, now or by an earlier call, 2 where it stays

local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return 0 end
local frames = redis.call('ZREVRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #frames, 2 do
  local frame, seq = frames[i], frames[i + 1]
  if string.sub(frame, 1, #ARGV[2]) == ARGV[2] then return 1 end
  if string.sub(frame, 1, #ARGV[1]) == ARGV[1] then
    local sender, code = string.match(string.sub(frame, #ARGV[1] + 1, #ARGV[1] + 100),
      '^"appId":%d+,"userId":"(%d+)","bizCode":(%d+)[,}]')
    if code ~= ARGV[4] then return 0 end
    for a = 5, #ARGV do
      if ARGV[a] == sender then return 2 end
    end
    local other = ARGV[2] .. '"seq":' .. seq .. ',"epoch":"' .. epoch .. '"' .. ARGV[3]
    -- Added first: a key that loses its last member is gone, and its expiry with it.
    redis.call('ZADD', KEYS[2], seq, other)
    redis.call('ZREM', KEYS[2], frame)
    redis.call('HINCRBY', KEYS[1], 'bytes', #other - #frame)
    return 1
  end
end
return 0
