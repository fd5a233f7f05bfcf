-- Purpose: renews the leases of a node's users, and writes entries that are lost.
-- KEYS     the users' entries
-- ARGV[1]  node id
-- ARGV[2]  lease, ms
-- then     four for each user: connection id, room id, since (ISO time), generation
-- Replies  {ids of the connections that others have replaced, ids of those whose entry was lost}

local replaced, lost = {}, {}
for i = 1, #KEYS do
  local conn, room, since, generation = ARGV[i * 4 - 1], ARGV[i * 4], ARGV[i * 4 + 1], ARGV[i * 4 + 2]
  local holder = redis.call('HGET', KEYS[i], 'conn')
  if not holder then
    redis.call('HSET', KEYS[i], 'node', ARGV[1], 'conn', conn, 'room', room, 'since', since, 'generation', generation)
    holder = conn
    lost[#lost + 1] = conn
  end
  if holder == conn then redis.call('PEXPIRE', KEYS[i], ARGV[2]) else replaced[#replaced + 1] = conn end
end
return {replaced, lost}
