-- Purpose: stores a phone's new code unless an earlier one is valid, so that one of several parallel requests stores its
--          hash; and forgets the tries of the earlier one.
-- KEYS[1]  the hash of the phone's code
-- KEYS[2]  the tries of that code, as redeem-login-code.lua keeps them
-- ARGV[1]  the hash
-- ARGV[2]  its life, ms
-- ARGV[3]  the address that requests it
-- Replies  1 where it is stored, 0 where an earlier one is valid

if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'requester', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
