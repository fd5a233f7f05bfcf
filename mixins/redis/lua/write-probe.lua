-- Purpose: shows that Redis runs a script that writes; most of what the services write is written so.
-- KEYS[1]  a key of the probe's own
-- ARGV[1]  its time to live, ms
-- Replies  OK

return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
