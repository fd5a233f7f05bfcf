-- Purpose: writes how many members of rooms a node has, with a lease, and adds the rooms up over the live nodes. A room
--          that has become empty stays among the watched ones for a lease more. Needs now.lua before it.
-- KEYS[1]  the watched rooms (sorted set of room ids by the ms at which their lease ends)
-- then     three for each room: its nodes, its members by node, its state
-- ARGV[1]  node id
-- ARGV[2]  lease, ms
-- then     two for each room: its id and the members on this node; 0 members take the node out
-- Replies  {members on all nodes, epoch or '', seq} of each room

local replies = {}
for i = 1, (#KEYS - 1) / 3 do
  local nodes, watch, state = KEYS[i * 3 - 1], KEYS[i * 3], KEYS[i * 3 + 1]
  local room, members = ARGV[i * 2 + 1], tonumber(ARGV[i * 2 + 2])
  if members > 0 then
    redis.call('ZADD', nodes, now + ARGV[2], ARGV[1])
    redis.call('HSET', watch, ARGV[1], members)
    redis.call('PEXPIRE', nodes, ARGV[2])
    redis.call('PEXPIRE', watch, ARGV[2])
  else
    redis.call('ZREM', nodes, ARGV[1])
    redis.call('HDEL', watch, ARGV[1])
  end
  redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now)
  local sum = 0
  for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    sum = sum + tonumber(redis.call('HGET', watch, node) or 0)
  end
  if sum > 0 then redis.call('ZADD', KEYS[1], now + ARGV[2], room)
  else redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], room) end
  local at = redis.call('HMGET', state, 'epoch', 'seq')
  replies[i] = {sum, at[1] or '', tonumber(at[2] or 0)}
end
return replies
