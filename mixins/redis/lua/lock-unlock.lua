-- Purpose: removes the owner's locks; locks of others stay.
-- KEYS     the locks
-- ARGV[1]  owner
-- Replies  how many were still the owner's

-- Many keys in one call cost a third of a call for each; a call takes some thousand arguments at the most.
local most = 1000
local removed = 0
for from = 1, #KEYS, most do
  local to = math.min(from + most - 1, #KEYS)
  local owners = redis.call('MGET', unpack(KEYS, from, to))
  local own = {}
  for i = 1, #owners do
    if owners[i] == ARGV[1] then own[#own + 1] = KEYS[from + i - 1] end
  end
  if #own > 0 then removed = removed + redis.call('DEL', unpack(own)) end
end
return removed
