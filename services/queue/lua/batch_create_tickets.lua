-- BatchCreateTickets: CreateTicket for many people of one office, one after another, independent of
-- each other: what it writes is what create_ticket would write for each.
--
-- KEYS and ARGV[1..16] as in _day.lua; KEYS[13] and ARGV[14] are empty, each item has its own
-- ARGV[17] limits     as in create_ticket.lua
-- KEYS after those of _day.lua: each item's request
-- ARGV after limits: ten values an item, payload as in _day.lua, then service, known, admitted,
-- lane, channel, holder, id, quota_day, quota_web as in create_ticket.lua
-- Returns a list: for each item what create_ticket.lua returns

local limits = ARGV[17]

local requests, values = {unpack(KEYS, 15)}, {unpack(ARGV, 18)}
local answers, saved = {}, true

read_office()
for i, request in ipairs(requests) do
  local first = (i - 1) * 10 + 1
  request_key, payload = request, values[first]
  local answer = replayed()
  if not answer then
    answer = step(function() return new_ticket(limits, unpack(values, first + 1, first + 9)) end)
    saved = saved and answer[1] ~= 'OK'
  end
  answers[i] = answer
end
if not saved then save_office() end
return answers
