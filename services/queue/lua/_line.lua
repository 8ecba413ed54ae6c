-- Tickets, counters and the line, as the verbs read and write them.

-- Tickets -------------------------------------------------------------------

local TICKET = {'id', 'service', 'lane', 'channel', 'holder', 'state', 'ord', 'nb', 'counter',
  'calls', 'first', 'last', 'holds', 'returns', 'transfers', 'present', 'event', 'issued',
  'started', 'closed', 'since'}
local COUNTS = {'ord', 'nb', 'calls', 'first', 'last', 'holds', 'returns', 'transfers', 'event',
  'since'}

local function ticket_of(number)
  local record = redis.call('HGET', tickets_key, number)
  if not record then return nil end
  local ticket = {number = number}
  for i, part in ipairs(split(record)) do ticket[TICKET[i]] = part end
  for _, name in ipairs(COUNTS) do ticket[name] = tonumber(ticket[name]) end
  return ticket
end

local function save_ticket(ticket)
  local parts = {}
  for i, name in ipairs(TICKET) do
    local value = ticket[name]
    parts[i] = type(value) == 'number' and ms(value) or value
  end
  local record = table.concat(parts, '|')
  redis.call('HSET', tickets_key, ticket.number, record)
  return record
end

local function enter(ticket, state)
  ticket.state, ticket.since = state, now
end

-- Counters ------------------------------------------------------------------

local COUNTER = {'state', 'subject', 'services', 'ticket', 'credit', 'completed', 'completed_at',
  'completed_event', 'event'}

-- `set` is the policy's set of the counter ("AB"), empty if the policy has no such counter.
local function counter_of(id, set, credit)
  if set == '' then return nil end
  local record = redis.call('HGET', counters_key, id) or
    table.concat({'CLOSED', '', set, '', credit, '', '', '', '-1'}, '|')
  local counter = {id = id}
  for i, part in ipairs(split(record)) do counter[COUNTER[i]] = part end
  return counter
end

local function save_counter(counter)
  local parts = {}
  for i, name in ipairs(COUNTER) do parts[i] = tostring(counter[name]) end
  local record = table.concat(parts, '|')
  redis.call('HSET', counters_key, counter.id, record)
  return record
end

local function taken(counter)
  return counter.subject ~= subject and not supervisor
end

-- The checks that RULES.md calls "desk": the counter, or nil and the refusal.
local function desk(id, set, credit)
  local counter = counter_of(id, set, credit)
  if not counter then return nil, refuse('COUNTER_NOT_FOUND') end
  if counter.state ~= 'OPEN' then return nil, refuse('COUNTER_CLOSED') end
  if taken(counter) then return nil, refuse('COUNTER_TAKEN') end
  return counter
end

-- "desk", "at(k)" and the state: counter and its ticket, or nil, nil and the refusal.
local function served(id, set, credit, number, state)
  local counter, refusal = desk(id, set, credit)
  if not counter then return nil, nil, refusal end
  local ticket = ticket_of(number)
  if not ticket then return nil, nil, refuse('TICKET_NOT_FOUND') end
  if counter.ticket ~= number then return nil, nil, refuse('TICKET_CHANGED', 'ticket', counter.ticket) end
  if ticket.state ~= state then return nil, nil, refuse('WRONG_STATE', 'state', ticket.state) end
  return counter, ticket
end

-- The line ------------------------------------------------------------------

local function calls_of(service)
  return tonumber(redis.call('HGET', counts_key, 'cs:' .. service)) or 0
end

local function ripe_member(ticket)
  return string.format('%s%s%09d:%s', ticket.service, ticket.lane, ticket.ord, ticket.number)
end

local function unripe_member(ticket)
  return string.format('%s%09d%s%09d:%s', ticket.service, ticket.nb, ticket.lane, ticket.ord,
    ticket.number)
end

local function join_line(ticket)
  if ticket.nb <= calls_of(ticket.service) then
    redis.call('ZADD', ripe_key, 0, ripe_member(ticket))
  else
    redis.call('ZADD', unripe_key, 0, unripe_member(ticket))
  end
end

local function leave_line(ticket)
  redis.call('ZREM', ripe_key, ripe_member(ticket))
  redis.call('ZREM', unripe_key, unripe_member(ticket))
end

local function first_of(key, prefix)
  return redis.call('ZRANGEBYLEX', key, '[' .. prefix, '[' .. prefix .. '\255', 'LIMIT', 0, 1)[1]
end
