-- Purpose: `frames_after(state, log, since)` gives the frames after number `since`, each followed by its number, from the
--          log of a room with this state, or nil where the log does not reach back that far. Frames that newer ones have
--          replaced are not among them (services/im-router/lua/number-frames.lua).

local function frames_after(state, log, since)
  local at = redis.call('HMGET', state, 'seq', 'gone', 'kept')
  local gone = tonumber(at[2] or at[1])
  if redis.call('EXISTS', log) == 0 then gone = math.max(gone, tonumber(at[3] or 0)) end
  if tonumber(since) > tonumber(at[1]) or tonumber(since) < gone then return nil end
  return redis.call('ZRANGEBYSCORE', log, '(' .. since, '+inf', 'WITHSCORES')
end
