-- Notes how far a webhook has got, if it is still there and still the asker's.
--
-- KEYS[1] webhooks   hash: by id, what was registered
-- KEYS[2] position   hash: how far the webhook has got
-- KEYS[3] lease      string: the replica that posts to it
-- ARGV[1] id         of the webhook
-- ARGV[2] owner      who asks
-- ARGV[3] fields     names and values to write, a JSON list
-- Returns 1, or 0 if it is not the asker's to note

local webhooks_key, position_key, lease_key = KEYS[1], KEYS[2], KEYS[3]
local id, owner, fields = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', lease_key) ~= owner then return 0 end
if redis.call('HEXISTS', webhooks_key, id) == 0 then return 0 end
redis.call('HSET', position_key, unpack(cjson.decode(fields)))
return 1
