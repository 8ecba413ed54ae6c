-- DeleteSubscription: ends a subscription and forgets its target.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] digest      what the request id is remembered by, empty without one
-- ARGV[5] payload     hash of the request
-- ARGV[6] number      the ticket's
-- ARGV[7] sub         the subscription's id
-- Returns {"OK"} or as in _step.lua: REQUEST_ID_REUSED, SUBSCRIPTION_NOT_FOUND

local digest, payload, number, sub = ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local done = again(digest, payload)
if done then return done[1] == 'NO' and done or {'OK'} end
local record = load(number)
if not record or not (has(record.subs, sub) or has(record.waiting, sub)) then
  return refuse('SUBSCRIPTION_NOT_FOUND')
end
remove(number, record, sub)
save(number, record)
remember(digest, payload, sub)
return {'OK'}
