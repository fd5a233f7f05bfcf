-- Purpose: finds a user's chat messages in a room's history.
-- KEYS[1]  the room's log
-- ARGV[1]  how the frame of a chat message begins, up to its msgId
-- ARGV[2]  the user
-- ARGV[3]  the business code of chat
-- Replies  the msgIds

local found = {}
for _, frame in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(frame, 1, #ARGV[1]) == ARGV[1] then
    local msgId, sender, code = string.match(string.sub(frame, #ARGV[1] + 1, #ARGV[1] + 200),
      '^"([%w_-]+)","appId":%d+,"userId":"(%d+)","bizCode":(%d+)[,}]')
    if sender == ARGV[2] and code == ARGV[3] then found[#found + 1] = msgId end
  end
end
return found
