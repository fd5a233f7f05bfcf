-- Purpose: checks a phone's code in one step, so that one of several parallel logins with the right code passes. The
--          right code is consumed: its key is deleted, and the next code may be requested at once. A wrong try is
--          counted for its address. The last allowed one burns the code for this address. Strangers are all addresses
--          but the one that requested the code and those that logged in with the phone before; their last try burns it
--          for all of them, so that they can neither guess the code nor burn it for the others.
--          The key of a burned code stays until it expires, so that burning a code does not give another one sooner.
-- KEYS[1]  the hash of the phone's code
-- KEYS[2]  its tries, a hash: `requester` is the address that requested the code, `try:ADDRESS` the wrong tries of an
--          address, `others` those of all strangers
-- ARGV[1]  the address that gives a code
-- ARGV[2]  wrong tries of one address that burn a code for it
-- ARGV[3]  wrong tries of all strangers that burn a code for them
-- ARGV[4]  1 where the address has logged in with the phone before, else 0
-- ARGV[5]  and further: the hash of the code that was given, by each key
-- Replies  `passed`, `wrong`, or `expired` (never sent, run out, consumed or burned)

local stored = redis.call('GET', KEYS[1])
if not stored then return 'expired' end
local own = 'try:' .. ARGV[1]
local stranger = ARGV[4] == '0' and redis.call('HGET', KEYS[2], 'requester') ~= ARGV[1]
if tonumber(redis.call('HGET', KEYS[2], own) or '0') >= tonumber(ARGV[2]) then return 'expired' end
if stranger and tonumber(redis.call('HGET', KEYS[2], 'others') or '0') >= tonumber(ARGV[3]) then return 'expired' end
for i = 5, #ARGV do
  if stored == ARGV[i] then
    redis.call('DEL', KEYS[1], KEYS[2])
    return 'passed'
  end
end
redis.call('HINCRBY', KEYS[2], own, 1)
if stranger then redis.call('HINCRBY', KEYS[2], 'others', 1) end
redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
return 'wrong'
