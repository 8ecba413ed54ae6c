-- CreateSubscription: a target for a ticket's messages; the same one again is renewed.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] digest      what the request id is remembered by, empty without one
-- ARGV[5] payload     hash of the request
-- ARGV[6] number      the ticket's
-- ARGV[7] id          the ticket's id
-- ARGV[8] state       where it stands, one letter
-- ARGV[9] ev          its last event
-- ARGV[10] near       the nearest threshold that it has passed, empty if none
-- ARGV[11] sub        the subscription's id
-- ARGV[12] target     the subscription, JSON
-- ARGV[13] most       subscriptions that a ticket may have
-- Returns {"OK", target as it is now} or as in _step.lua: REQUEST_ID_REUSED, WRONG_STATE,
-- TOO_MANY_SUBSCRIPTIONS

local digest, payload, number, id = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local state, ev, near, sub = ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11]
local target, most = ARGV[12], ARGV[13]

local done, field = again(digest, payload), number .. '.' .. sub
if done and done[1] == 'NO' then return done end
local stored = redis.call('HGET', targets_key, field)
if done and stored then return {'OK', stored} end

local record = load(number) or {
  id = id, subs = '', waiting = '', state = state, ev = ev, near = tonumber(near) or FAR,
  said = '', count = 0, logged = 0, line = 0, over = false,
}
if record.over then return refuse('WRONG_STATE', 'number', number) end
local known = has(record.subs, sub) or has(record.waiting, sub)
if not known and size(record.subs) + size(record.waiting) >= tonumber(most) then
  return refuse('TOO_MANY_SUBSCRIPTIONS', 'most', most)
end

local fresh = cjson.decode(target)
if stored then
  local former = cjson.decode(stored)
  fresh.at, fresh.code = former.at, former.code
  if fresh.address == '' then fresh.address = former.address end
end
if fresh.code ~= '' and fresh.address == '' then
  record.waiting = with(record.waiting, sub)
  put(codes_key, fresh.code, field)
else
  record.subs = with(record.subs, sub)
end
target = cjson.encode(fresh)
put(targets_key, field, target)
save(number, record)
remember(digest, payload, sub)
return {'OK', target}
