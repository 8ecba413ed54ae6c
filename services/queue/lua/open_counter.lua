-- OpenCounter: opens a counter and binds it to the caller; an open one is only rebound.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- Returns as in _day.lua

local id, set, credit = ARGV[17], ARGV[18], ARGV[19]

return run(function()
  local counter = counter_of(id, set, credit)
  if not counter then return refuse('COUNTER_NOT_FOUND') end
  local open = counter.state == 'OPEN'
  if open and counter.ticket ~= '' and taken(counter) then return refuse('COUNTER_TAKEN') end
  return {
    counter = id,
    event = counter.event,
    events = open and {} or {{'counter.open', '"c":"' .. id .. '"'}},
    apply = function(n)
      if not open then counter.event = n end
      counter.state, counter.subject = 'OPEN', subject
      return nil, save_counter(counter)
    end,
  }
end)
