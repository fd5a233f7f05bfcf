-- Purpose: where the anchors of rooms are, and who holds members of the rooms.
-- KEYS     three for each room: the anchor's entry, the room's nodes, its members by node
-- Replies  {anchor's node or '', anchor's room or '', {node, members there, ...}} of each room

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local replies = {}
for r = 1, #KEYS / 3 do
  local at = redis.call('HMGET', KEYS[r * 3 - 2], 'node', 'room')
  local held = {}
  for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[r * 3 - 1], '(' .. now, '+inf')) do
    held[#held + 1] = node
    held[#held + 1] = tonumber(redis.call('HGET', KEYS[r * 3], node) or 0)
  end
  replies[r] = {at[1] or '', at[2] or '', held}
end
return replies
