-- Purpose: renews the owner's locks; locks of others stay as they are.
-- KEYS     the locks
-- ARGV[1]  owner
-- ARGV[2]  time to live from now on, ms
-- Replies  how many are still the owner's

local kept = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
    kept = kept + 1
  end
end
return kept
