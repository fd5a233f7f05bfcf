-- Purpose: removes a user's entry where it is still the given connection's.
-- KEYS[1]  the user's entry
-- ARGV[1]  connection id
-- Replies  1 where it was removed, else 0

if redis.call('HGET', KEYS[1], 'conn') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
