-- A new number: what is checked for it, and what it writes. For create_ticket and batch_create_tickets.

local function live(ticket, limits)
  local times, back, hold = limits:match('^(%d+),(%d+),(%d+)$')
  local away = now - ticket.since
  if ticket.state == 'NO_SHOW' then
    return ticket.returns < tonumber(times) and away <= tonumber(back)
  end
  if ticket.state == 'ON_HOLD' then return away <= tonumber(hold) end
  return ticket.state == 'WAITING' or ticket.state == 'CALLED' or ticket.state == 'SERVING'
end

local function live_of(holder, limits)
  local number = holder ~= '' and redis.call('HGET', holders_key, holder)
  local ticket = number and ticket_of(number)
  return ticket and live(ticket, limits) and ticket
end

-- Issued, used, by web or WhatsApp, and calls: the counts of a service.
local function counts_of(service)
  local values = redis.call('HMGET', counts_key, 'issued:' .. service, 'used:' .. service,
    'web:' .. service, 'cs:' .. service)
  return tonumber(values[1]) or 0, tonumber(values[2]) or 0, tonumber(values[3]) or 0,
    tonumber(values[4]) or 0
end

-- The arguments are those of create_ticket; for `step`, what to refuse or to do.
local function new_ticket(limits, service, known, admitted, lane, channel, holder, id, quota_day, quota_web)
  if known ~= '1' then return refuse('SERVICE_NOT_FOUND') end
  if admitted ~= '1' then return refuse('CHANNEL_NOT_ADMITTED') end
  if office.office ~= '1' then return refuse('ISSUING_STOPPED', 'why', office.why) end
  if not within_hours() then return refuse('OFFICE_CLOSED') end
  local held = live_of(holder, limits)
  if held then return refuse('LIVE_TICKET_EXISTS', 'number', held.number, 'id', held.id) end
  local issued, used, web, calls = counts_of(service)
  local remote = (channel == 'W' or channel == 'A') and 1 or 0
  if used >= tonumber(quota_day) then return refuse('QUOTA_EXHAUSTED') end
  if remote == 1 and web >= tonumber(quota_web) then return refuse('QUOTA_EXHAUSTED') end

  local number = string.format('%s%03d', service, issued + 1)
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
      redis.call('HSET', counts_key, 'issued:' .. service, issued + 1,
        'used:' .. service, used + 1, 'web:' .. service, web + remote)
      redis.call('HSET', ids_key, id, number)
      if holder ~= '' then redis.call('HSET', holders_key, holder, number) end
      redis.call('ZADD', ripe_key, 0, ripe_member(ticket)) -- nb is 0: ripe from the first
      return save_ticket(ticket)
    end,
  }
end
