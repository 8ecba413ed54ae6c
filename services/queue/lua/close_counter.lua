-- CloseCounter: closes a counter that serves nobody and unbinds it.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- Returns as in _day.lua

local id, set, credit = ARGV[17], ARGV[18], ARGV[19]

return run(function()
  local counter, refusal = desk(id, set, credit)
  if not counter then return refusal end
  if counter.ticket ~= '' then return refuse('COUNTER_BUSY', 'ticket', counter.ticket) end
  return {
    counter = id,
    events = {{'counter.close', '"c":"' .. id .. '"'}},
    apply = function(n)
      counter.event, counter.state, counter.subject = n, 'CLOSED', ''
      return nil, save_counter(counter)
    end,
  }
end)
