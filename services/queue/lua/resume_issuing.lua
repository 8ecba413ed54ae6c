-- ResumeIssuing: numbers again; the event repeats the stop's reason.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- Returns as in _day.lua

return run(function()
  if office.office == '1' then return refuse('NOT_STOPPED') end
  local why = office.why
  return {
    events = {{'issue.go', '"why":"' .. why .. '"'}},
    apply = function()
      office.office, office.why = '1', ''
    end,
  }
end)
