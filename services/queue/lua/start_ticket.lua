-- StartTicket: the citizen is at the counter.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- ARGV[20] number     ticket at the counter, as the officer sees it
-- Returns as in _day.lua

local id, set, credit, number = ARGV[17], ARGV[18], ARGV[19], ARGV[20]

return run(function()
  local counter, ticket, refusal = served(id, set, credit, number, 'CALLED')
  if not counter then return refusal end
  return {
    number = number, counter = id,
    events = {{'start', string.format('"k":"%s","c":"%s"', number, id)}},
    apply = function(n)
      enter(ticket, 'SERVING')
      ticket.started = now
      ticket.event, counter.event = n, n
      return save_ticket(ticket), save_counter(counter)
    end,
  }
end)
