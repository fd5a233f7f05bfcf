-- Purpose: removes the owner's locks; locks of others stay.
-- KEYS     the locks
-- ARGV[1]  owner
-- Replies  how many were still the owner's

local removed = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    redis.call('DEL', KEYS[i])
    removed = removed + 1
  end
end
return removed
