-- Closes a day: WAITING, CALLED, SERVING and ON_HOLD lapse, counters close, the tally is
-- written. NO_SHOW stays and counts as such. The day's keys live on for a week.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] early      "1" to close before the time, when an office is taken off the list
-- Returns as in _day.lua

local early = ARGV[17]

local KEPT_MS = 604800000
local LAPSING = {WAITING = true, CALLED = true, SERVING = true, ON_HOLD = true}

read_office()
if office.day ~= day or office.open ~= '1' then return {'OK', ms(now), '-1', '', '', '', ''} end
if early ~= '1' and now < close_at then return {'STALE', ms(now)} end

local tally = {COMPLETED = 0, NO_SHOW = 0, CANCELLED = 0, LAPSED = 0}
local left, issued = {}, 0
for i, value in ipairs(redis.call('HGETALL', tickets_key)) do
  if i % 2 == 1 then
    issued, left[#left + 1] = issued + 1, value
  else
    local state = split(value)[6]
    if not LAPSING[state] then left[#left] = nil end
    local counted = LAPSING[state] and 'LAPSED' or state
    tally[counted] = tally[counted] + 1
  end
end

write('day.close', string.format(
  '"tally":{"issued":%d,"done":%d,"noshow":%d,"cancel":%d,"lapsed":%d}',
  issued, tally.COMPLETED, tally.NO_SHOW, tally.CANCELLED, tally.LAPSED))
for _, number in ipairs(left) do
  local ticket = ticket_of(number)
  enter(ticket, 'LAPSED')
  ticket.closed, ticket.event = now, office.n
  save_ticket(ticket)
end
local counters = redis.call('HKEYS', counters_key)
for _, id in ipairs(counters) do
  local counter = counter_of(id, '-', '0')
  counter.state, counter.subject, counter.ticket = 'CLOSED', '', ''
  save_counter(counter)
end
office.open, office.hours, office.salt, office.event = '0', '0', '', tostring(office.n)
save_office()
redis.call('DEL', ripe_key, unripe_key, holders_key)
for _, key in ipairs({tickets_key, ids_key, counters_key, counts_key}) do
  redis.call('PEXPIRE', key, KEPT_MS)
end
audit('', '')
return {'OK', ms(now), office.event, '', '', '', ''}
