-- CloseDay: keeps what a day counted and drops what links its tickets to answers.
--
-- KEYS and ARGV[1..4] as in _step.lua
-- KEYS[7] figures     hash: by day, the queue's statistics of the closed day
-- ARGV[5] completed   JSON: how many tickets were completed, in all, by service and counter
-- ARGV[6] statistics  JSON: what goes to figures
-- Returns {"OK"}, also when the day is closed already

local figures_key = KEYS[7]
local completed, statistics = ARGV[5], ARGV[6]

if redis.call('HEXISTS', days_key, day) == 0 then
  local counts, flat = {}, redis.call('HGETALL', counts_key)
  for i = 1, #flat, 2 do counts[flat[i]] = tonumber(flat[i + 1]) end
  local record = '{"counts":' .. cjson.encode(counts) .. ',"completed":' .. completed .. '}'
  redis.call('HSET', figures_key, day, statistics)
  redis.call('HSET', days_key, day, record)
end
redis.call('SREM', open_key, day)
redis.call('DEL', counts_key, answers_key, assessed_key, requests_key)
return {'OK'}
