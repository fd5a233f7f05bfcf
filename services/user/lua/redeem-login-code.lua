-- Purpose: checks a phone's code in one step, so that one of several parallel logins with the right code passes. The
--          right code is consumed: its key is deleted, and the next code may be requested at once. A wrong try is
--          counted; the last allowed one burns the code. The key of a burned code stays until it expires, so that
--          burning a code does not give another one sooner.
-- KEYS[1]  the phone's code, stored as `hash:wrongTries`
-- ARGV[1]  wrong tries that burn a code
-- ARGV[2]  and further: the hash of the code that was given, by each key
-- Replies  `passed`, `wrong`, or `expired` (never sent, run out, consumed or burned)

local stored = redis.call('GET', KEYS[1])
if not stored then return 'expired' end
local hash, tries = string.match(stored, '^([%w_-]+):(%d+)$')
tries = tonumber(tries)
if tries >= tonumber(ARGV[1]) then return 'expired' end
for i = 2, #ARGV do
  if hash == ARGV[i] then
    redis.call('DEL', KEYS[1])
    return 'passed'
  end
end
local left = redis.call('PTTL', KEYS[1])
redis.call('SET', KEYS[1], hash .. ':' .. (tries + 1), 'PX', math.max(1, left))
return 'wrong'
