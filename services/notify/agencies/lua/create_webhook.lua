-- CreateWebhook: registers a webhook, once.
--
-- KEYS[1] webhooks   hash: by id, what was registered
-- KEYS[2] audit      stream: who did what when
-- ARGV[1] id         of the webhook, made from the request's id
-- ARGV[2] record     what to register, JSON
-- ARGV[3] most       webhooks that an office may have
-- ARGV[4] subject    who does it
-- ARGV[5] url        where to
-- Returns {"NEW"}, {"OLD", record} for an id that there is, {"FULL"}

local webhooks_key, audit_key = KEYS[1], KEYS[2]
local id, record, most = ARGV[1], ARGV[2], ARGV[3]
local subject, url = ARGV[4], ARGV[5]

local old = redis.call('HGET', webhooks_key, id)
if old then return {'OLD', old} end
if redis.call('HLEN', webhooks_key) >= tonumber(most) then return {'FULL'} end
redis.call('XADD', audit_key, 'MAXLEN', '500', '*', 's', subject, 'v', 'CreateWebhook', 'w', id, 'u', url)
redis.call('HSET', webhooks_key, id, record)
return {'NEW'}
