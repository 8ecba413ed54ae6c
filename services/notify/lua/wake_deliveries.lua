-- WakeDeliveries: puts what is to be tried again, and due, back into the outbox.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] most        how many
-- Returns {"OK", ms until the next one is due, empty if none waits}

local most = ARGV[4]

local now = now_ms()
local due = redis.call('ZRANGEBYSCORE', later_key, '-inf', now, 'LIMIT', 0, most)
for _, entry in ipairs(due) do
  redis.call('XADD', outbox_key, '*', 'e', entry)
  redis.call('ZREM', later_key, entry)
end
if #due > 0 then redis.call('PEXPIRE', outbox_key, LIFE_MS) end
local first = redis.call('ZRANGE', later_key, 0, 0, 'WITHSCORES')
if not first[2] then return {'OK', ''} end
return {'OK', string.format('%d', math.max(0, tonumber(first[2]) - now))}
