-- Purpose: removes an owner's reservations of orders that were certainly not accepted; others stay.
-- KEYS     the orders
-- ARGV[1]  the owner
-- ARGV[2]  and further: the content hash of each order
-- Replies  how many were removed

local removed = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == 'reserved:' .. ARGV[i + 1] .. ':' .. ARGV[1] then
    redis.call('DEL', KEYS[i])
    removed = removed + 1
  end
end
return removed
