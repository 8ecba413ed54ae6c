-- SettleDelivery: what became of a delivery that this replica took from the outbox.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] group       whose it was
-- ARGV[5] entry       its id in the outbox
-- ARGV[6] number      the ticket's
-- ARGV[7] log         number.place, where its outcome is kept
-- ARGV[8] outcome     what is kept of it, JSON
-- ARGV[9] wait_ms     until it is tried again, empty: it is over
-- ARGV[10] retry      the entry to try again, JSON
-- ARGV[11] gone       the subscription that ends with it, empty for none
-- ARGV[12] dead       what is kept of one that was given up, JSON, empty otherwise
-- Returns {"OK", 1 if it was still to be settled}

local group, entry, number, log = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local outcome, wait_ms, retry, gone = ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local dead = ARGV[12]

local ours = redis.call('XACK', outbox_key, group, entry)
redis.call('XDEL', outbox_key, entry)
if ours == 0 then return {'OK', 0} end
if redis.call('HEXISTS', deliveries_key, log) == 1 then put(deliveries_key, log, outcome) end
if wait_ms ~= '' then
  redis.call('ZADD', later_key, now_ms() + tonumber(wait_ms), retry)
  redis.call('PEXPIRE', later_key, LIFE_MS)
end
local record = gone ~= '' and load(number)
if record then
  remove(number, record, gone)
  save(number, record)
end
if dead ~= '' then
  redis.call('XADD', dead_key, 'MAXLEN', '~', 1000, '*', 'e', dead)
  redis.call('PEXPIRE', dead_key, LIFE_MS)
end
return {'OK', 1}
