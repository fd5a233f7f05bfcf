-- Purpose: looks at a phone's code and acts on it in one step, so that of parallel logins with the right code one
--          passes. The right code is consumed: its key goes away, and with it the wait for the next code. A wrong try is
--          counted; the last one allowed burns the code, whose key stays until its time is over, so that burning a code
--          does not buy another.
-- KEYS[1]  the phone's code, stored as `code:wrongTries`
-- ARGV[1]  the code that was given
-- ARGV[2]  wrong tries that burn a code
-- Replies  `passed`, `wrong`, or `expired` (never sent, run out, consumed or burned)

local stored = redis.call('GET', KEYS[1])
if not stored then return 'expired' end
local code, tries = string.match(stored, '^(%d+):(%d+)$')
tries = tonumber(tries)
if tries >= tonumber(ARGV[2]) then return 'expired' end
if code == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return 'passed'
end
local left = redis.call('PTTL', KEYS[1])
redis.call('SET', KEYS[1], code .. ':' .. (tries + 1), 'PX', math.max(1, left))
return 'wrong'
