-- One step: a verb from its request id to its answer.

local function audit(number, counter)
  if subject == '' then return end
  redis.call('XADD', audit_key, '*', 's', subject, 'v', verb, 'c', counter, 'k', number,
    'd', office.day, 'n', office.event, 't', ms(now))
  local time = redis.call('TIME')
  redis.call('XTRIM', audit_key, 'MINID', '~', ms((tonumber(time[1]) - AUDIT_DAYS * 86400) * 1000))
end

local function remember(number, counter)
  if payload == '' then return end
  redis.call('SET', request_key,
    table.concat({payload, office.day, number, office.event, counter}, '|'), 'PX', REQUEST_TTL_MS)
end

local function replayed()
  local stored = payload ~= '' and redis.call('GET', request_key)
  if not stored then return nil end
  if stored:sub(1, #payload + 1) ~= payload .. '|' then return refuse('REQUEST_ID_REUSED') end
  return {'AGAIN', stored}
end

-- Does a verb in an office that has been read; whoever calls this saves the office if the answer is
-- OK. `check` returns a refusal, or what to do: `events`, a list of {type, fields}; `apply(n)`,
-- which changes state after they are written, n being the number of the last, and returns ticket
-- and counter records for the answer; `number` and `counter` for audit and replay.
local function step(check)
  local refusal = check_day()
  if refusal then return refusal end
  local plan = check()
  if plan[1] == 'NO' then return plan end
  if #plan.events > 0 then write_due() end
  for _, event in ipairs(plan.events) do write(event[1], event[2]) end
  office.event = tostring(#plan.events > 0 and office.n or plan.event)
  local number, counter = plan.number or '', plan.counter or ''
  local ticket_record, counter_record = plan.apply(office.n)
  remember(number, counter)
  audit(number, counter)
  return {'OK', ms(now), office.event, number, ticket_record or '', counter, counter_record or ''}
end

-- A script's whole work: the verb, unless its request id says that it has been done.
local function run(check)
  local again = replayed()
  if again then return again end
  read_office()
  local answer = step(check)
  if answer[1] == 'OK' then save_office() end
  return answer
end
