-- SetCounterServices: changes the set of a closed counter for the rest of the day.
-- Calls counted so far and the counter's credit stay.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- ARGV[20] services   the new set, sorted and unique, "AB"
-- ARGV[21] known      "1" if the policy has them all
-- Returns as in _day.lua

local id, set, credit, services, known = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]

return run(function()
  local counter = counter_of(id, set, credit)
  if not counter then return refuse('COUNTER_NOT_FOUND') end
  if known ~= '1' then return refuse('SERVICE_NOT_FOUND') end
  if counter.state == 'OPEN' then return refuse('COUNTER_OPEN') end
  local list = services:gsub('.', '"%0",'):sub(1, -2)
  return {
    counter = id,
    events = {{'counter.set', string.format('"c":"%s","s":[%s]', id, list)}},
    apply = function(n)
      counter.event, counter.services = n, services
      return nil, save_counter(counter)
    end,
  }
end)
