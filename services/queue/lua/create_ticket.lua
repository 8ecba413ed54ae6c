-- CreateTicket: gives the next number of a service.
-- Guarantees: numbers of a service and day are consecutive from 001 and given once; the
-- event is in the journal before the ticket exists.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] service    one letter
-- ARGV[18] known      "1" if the policy has the service
-- ARGV[19] admitted   "1" if the service admits the channel
-- ARGV[20] lane       R or P
-- ARGV[21] channel    W, K, A or D
-- ARGV[22] holder     salted hash, 32 hex digits, or empty
-- ARGV[23] id         22 random characters, the secret part of the ticket id
-- ARGV[24] quota_day  most numbers a day
-- ARGV[25] quota_web  most of them by W and A
-- ARGV[26] limits     "return times,return within ms,hold within ms": while an absent ticket is live
-- Returns as in _day.lua

local service, known, admitted, lane, channel, holder, id, quota_day, quota_web, limits = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21], ARGV[22], ARGV[23], ARGV[24], ARGV[25], ARGV[26]

return run(function()
  return new_ticket(limits, service, known, admitted, lane, channel, holder, id, quota_day,
    quota_web)
end)
