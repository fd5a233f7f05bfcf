-- Purpose: `frames_after(log, seq, since, most)` gives the frames after number `since` from a room's log whose last
--          frame is `seq`, or nil where the log does not reach back that far or more than `most` are missing.

local function frames_after(log, seq, since, most)
  local missing = seq - since
  if missing < 0 or missing > most or missing > redis.call('LLEN', log) then return nil end
  if missing == 0 then return {} end
  return redis.call('LRANGE', log, -missing, -1)
end
