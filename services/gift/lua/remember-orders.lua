-- Purpose: stores accepted gifts until they are settled.
-- KEYS     the orders
-- ARGV[1]  their lifetime, ms
-- ARGV[2]  how many of the orders, from the first, were reserved: where such a key is gone the gift is settled already
-- ARGV[3]  and further: the gift of each order, JSON
-- Replies  how many are stored

local stored = 0
for i = 1, #KEYS do
  if i > tonumber(ARGV[2]) or redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('SET', KEYS[i], ARGV[i + 2], 'PX', ARGV[1])
    stored = stored + 1
  end
end
return stored
