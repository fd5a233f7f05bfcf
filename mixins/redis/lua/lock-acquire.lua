-- Purpose: takes all free locks of a list in one step.
-- KEYS     the locks
-- ARGV[1]  owner
-- ARGV[2]  time to live, ms
-- Replies  1 or 0 for each lock, in order: taken, or held by another

local reply = {}
for i = 1, #KEYS do
  if redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2]) then reply[i] = 1 else reply[i] = 0 end
end
return reply
