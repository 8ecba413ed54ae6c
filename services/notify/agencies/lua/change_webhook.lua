-- ResumeWebhook, DeleteWebhook: a person's change of a webhook, with its audit entry.
--
-- KEYS[1] webhooks   hash: by id, what was registered
-- KEYS[2] audit      stream: who did what when
-- KEYS[3] position   hash: how far the webhook has got
-- KEYS[4] lease      string: who posts to it
-- ARGV[1] id         of the webhook
-- ARGV[2] verb       ResumeWebhook or DeleteWebhook
-- ARGV[3] subject    who does it
-- ARGV[4] url        where to
-- Returns 1, or 0 if there is no such webhook

local webhooks_key, audit_key, position_key, lease_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, verb, subject, url = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('HEXISTS', webhooks_key, id) == 0 then return 0 end
redis.call('XADD', audit_key, 'MAXLEN', '500', '*', 's', subject, 'v', verb, 'w', id, 'u', url)
if verb == 'DeleteWebhook' then
  redis.call('HDEL', webhooks_key, id)
  redis.call('DEL', position_key, lease_key)
else
  redis.call('HDEL', position_key, 'paused', 'failing_since', 'attempts', 'reason', 'retry_at')
end
return 1
