-- Takes, keeps or gives back the right to post to a webhook.
--
-- KEYS[1] lease   string: the replica that has it
-- ARGV[1] owner   who asks
-- ARGV[2] ms      for how long from now; 0 gives it back
-- Returns 1 if it is the asker's now, or was until now

local lease_key = KEYS[1]
local owner, ms = ARGV[1], ARGV[2]

local held = redis.call('GET', lease_key)
if held and held ~= owner then return 0 end
if ms == '0' then
  redis.call('DEL', lease_key)
else
  redis.call('SET', lease_key, owner, 'PX', ms)
end
return 1
