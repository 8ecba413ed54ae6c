-- CloseDay: forgets everything of a day.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- Returns {"OK"}, also when there is nothing

redis.call('DEL', tickets_key, targets_key, codes_key, phones_key, requests_key, deliveries_key)
redis.call('SREM', days_key, day)
advance()
return {'OK'}
