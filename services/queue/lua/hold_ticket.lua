-- HoldTicket: the citizen steps aside, a photocopy missing; the counter is free.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- ARGV[20] number     ticket at the counter, as the officer sees it
-- ARGV[21] times      how often a ticket may be on hold
-- Returns as in _day.lua

local id, set, credit, number, times = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]

return run(function()
  local counter, ticket, refusal = served(id, set, credit, number, 'SERVING')
  if not counter then return refusal end
  if ticket.holds >= tonumber(times) then return refuse('LIMIT_REACHED') end
  return {
    number = number, counter = id,
    events = {{'hold', string.format('"k":"%s","c":"%s"', number, id)}},
    apply = function(n)
      enter(ticket, 'ON_HOLD')
      ticket.holds = ticket.holds + 1
      ticket.event, counter.event = n, n
      counter.ticket = ''
      return save_ticket(ticket), save_counter(counter)
    end,
  }
end)
