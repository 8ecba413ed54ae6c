-- What any replica does about once a second: opens a day at its first opening time and
-- writes when issuing begins and ends by the clock.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] opens_at   ms UTC, the date's first opening
-- Returns as in _day.lua

local opens_at = ARGV[17]

read_office()
local refusal = check_day()
if refusal then
  local due = office.day == day and office.open == '1' and now >= close_at
  return due and {'CLOSE', day} or refusal
end
if opening and now < tonumber(opens_at) then return {'OK', ms(now), '-1', '', '', '', ''} end
if #due_events() > 0 then
  write_due()
  save_office()
end
return {'OK', ms(now), office.event, '', '', '', ''}
