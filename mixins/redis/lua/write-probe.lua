-- Purpose: shows that Redis runs a script that writes, as most writes of the services are.
-- KEYS[1]  the probe's key
-- ARGV[1]  its time to live, ms
-- Replies  OK

return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
