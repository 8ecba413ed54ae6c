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

local function live(ticket)
  local times, back, hold = limits:match('^(%d+),(%d+),(%d+)$')
  local away = now - ticket.since
  if ticket.state == 'NO_SHOW' then
    return ticket.returns < tonumber(times) and away <= tonumber(back)
  end
  if ticket.state == 'ON_HOLD' then return away <= tonumber(hold) end
  return ticket.state == 'WAITING' or ticket.state == 'CALLED' or ticket.state == 'SERVING'
end

local function live_of_holder()
  local number = holder ~= '' and redis.call('HGET', holders_key, holder)
  local ticket = number and ticket_of(number)
  return ticket and live(ticket) and ticket
end

local function count(name)
  return tonumber(redis.call('HGET', counts_key, name .. ':' .. service)) or 0
end

local function exhausted()
  if count('used') >= tonumber(quota_day) then return true end
  return (channel == 'W' or channel == 'A') and count('web') >= tonumber(quota_web)
end

return run(function()
  if known ~= '1' then return refuse('SERVICE_NOT_FOUND') end
  if admitted ~= '1' then return refuse('CHANNEL_NOT_ADMITTED') end
  if office.office ~= '1' then return refuse('ISSUING_STOPPED', 'why', office.why) end
  if not within_hours() then return refuse('OFFICE_CLOSED') end
  local held = live_of_holder()
  if held then return refuse('LIVE_TICKET_EXISTS', 'number', held.number, 'id', held.id) end
  if exhausted() then return refuse('QUOTA_EXHAUSTED') end

  local number = string.format('%s%03d', service, count('issued') + 1)
  return {
    number = number,
    events = {{'issue', string.format('"k":"%s","s":"%s","l":"%s","ch":"%s","h":"%s"',
      number, service, lane, channel, holder)}},
    apply = function(n)
      local ticket = {
        number = number, id = id, service = service, lane = lane, channel = channel,
        holder = holder, state = 'WAITING', ord = n, nb = 0, counter = '', calls = 0, first = 0,
        last = 0, holds = 0, returns = 0, transfers = 0, present = '', event = n,
        issued = now, started = '', closed = '', since = now,
      }
      redis.call('HINCRBY', counts_key, 'issued:' .. service, 1)
      redis.call('HINCRBY', counts_key, 'used:' .. service, 1)
      if channel == 'W' or channel == 'A' then
        redis.call('HINCRBY', counts_key, 'web:' .. service, 1)
      end
      redis.call('HSET', ids_key, id, number)
      if holder ~= '' then redis.call('HSET', holders_key, holder, number) end
      join_line(ticket)
      return save_ticket(ticket)
    end,
  }
end)
