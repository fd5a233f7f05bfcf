-- Purpose: removes dead nodes from rooms, so that the numbers that live nodes report do not include their members.
-- KEYS     two for each room: its nodes, its members by node
-- ARGV     the dead nodes
-- Replies  1

for r = 1, #KEYS / 2 do
  redis.call('ZREM', KEYS[r * 2 - 1], unpack(ARGV))
  redis.call('HDEL', KEYS[r * 2], unpack(ARGV))
end
return 1
