-- CallNextTicket: calls next(c) of RULES.md, in time that does not grow with the line.
-- Guarantees: two counters never get the same ticket; no other order is possible.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- Returns as in _day.lua

local id, set, credit = ARGV[17], ARGV[18], ARGV[19]

-- The ripe head of a lane over the set: its number and ord, nil if none.
local function ripe_head(services, lane)
  local number, ord
  for service in services:gmatch('.') do
    local member = first_of(ripe_key, service .. lane)
    local at = member and tonumber(member:sub(3, 11))
    if at and (not ord or at < ord) then number, ord = member:sub(13), at end
  end
  return number, ord
end

-- Nobody is ripe: the least (nb - cs, P before R, ord) over the set.
local function least_unripe(services)
  local best, number
  for service in services:gmatch('.') do
    local member = first_of(unripe_key, service)
    if member then
      local gap = tonumber(member:sub(2, 10)) - calls_of(service)
      local key = string.format('%09d%s', gap, member:sub(11, 20))
      if not best or key < best then best, number = key, member:sub(22) end
    end
  end
  return number
end

local function next_of(counter)
  local regular, r = ripe_head(counter.services, 'R')
  local priority, p = ripe_head(counter.services, 'P')
  if regular and priority then
    local due = tonumber(counter.credit) >= tonumber(credit)
    return (due or p < r) and priority or regular
  end
  return regular or priority or least_unripe(counter.services)
end

-- Whoever waits for `service` and is not before its calls now joins the ripe.
local function ripen(service, calls)
  local member = first_of(unripe_key, service)
  while member and tonumber(member:sub(2, 10)) <= calls do
    redis.call('ZREM', unripe_key, member)
    redis.call('ZADD', ripe_key, 0, service .. member:sub(11))
    member = first_of(unripe_key, service)
  end
end

local function count_call(counter, lane)
  for service in counter.services:gmatch('.') do
    ripen(service, redis.call('HINCRBY', counts_key, 'cs:' .. service, 1))
  end
  local more = math.min(tonumber(credit), tonumber(counter.credit) + 1)
  counter.credit = lane == 'P' and 0 or more
end

return run(function()
  local counter, refusal = desk(id, set, credit)
  if not counter then return refusal end
  if counter.ticket ~= '' then return refuse('COUNTER_BUSY', 'ticket', counter.ticket) end
  local number = next_of(counter)
  if not number then return refuse('NOBODY_WAITING') end
  local ticket = ticket_of(number)
  return {
    number = number, counter = id,
    events = {{'call', string.format('"k":"%s","c":"%s"', number, id)}},
    apply = function(n)
      leave_line(ticket)
      count_call(counter, ticket.lane)
      enter(ticket, 'CALLED')
      ticket.counter, ticket.calls, ticket.first, ticket.last = id, 1, now, now
      ticket.event, counter.event, counter.ticket = n, n, number
      return save_ticket(ticket), save_counter(counter)
    end,
  }
end)
