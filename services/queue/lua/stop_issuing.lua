-- StopIssuing: no numbers until ResumeIssuing, for a reason that every page shows.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] why        power, disaster, full or other
-- Returns as in _day.lua

local why = ARGV[17]

return run(function()
  if office.office ~= '1' then return refuse('ALREADY_STOPPED', 'why', office.why) end
  return {
    events = {{'issue.stop', '"why":"' .. why .. '"'}},
    apply = function()
      office.office, office.why = '0', why
    end,
  }
end)
