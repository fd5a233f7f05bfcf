-- Purpose: reserves orders for their content, before they are published. A reservation does not mean that the gift is
--          accepted: it only distinguishes a repeat from a reuse of the request id with other content.
-- KEYS     the orders
-- ARGV[1]  the owner of these reservations
-- ARGV[2]  their lifetime, ms
-- ARGV[3]  and further: the content hash of each order
-- Replies  for each order: "" where this call reserved it; "*" where the same content was reserved before, so it may
--          be in the queue; else the stored value: the accepted gift, a reservation for other content, or the server's
--          error where the key holds no string

local found = {}
for i = 1, #KEYS do
  local mine = 'reserved:' .. ARGV[i + 2] .. ':'
  local value = redis.pcall('GET', KEYS[i])
  if type(value) == 'table' then
    found[i] = value.err
  elseif not value then
    redis.call('SET', KEYS[i], mine .. ARGV[1], 'PX', ARGV[2])
    found[i] = ''
  elseif string.sub(value, 1, #mine) == mine then
    -- It has no owner from here on: no owner may withdraw what another one may have published.
    redis.call('SET', KEYS[i], mine .. '*', 'PX', ARGV[2])
    found[i] = '*'
  else
    found[i] = value
  end
end
return found
