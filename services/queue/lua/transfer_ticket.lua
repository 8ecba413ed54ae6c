-- TransferTicket: sends the citizen on to another service. Number and arrival order stay;
-- what is left of "not before" counts in the new service's calls.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- ARGV[20] number     ticket at the counter, as the officer sees it
-- ARGV[21] service    where to
-- ARGV[22] known      "1" if the policy has it
-- ARGV[23] times      how often a ticket may be sent on
-- Returns as in _day.lua

local id, set, credit, number, service, known, times = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21], ARGV[22], ARGV[23]

return run(function()
  local counter, ticket, refusal = served(id, set, credit, number, 'SERVING')
  if not counter then return refusal end
  if known ~= '1' then return refuse('SERVICE_NOT_FOUND') end
  if ticket.service == service then return refuse('SAME_SERVICE') end
  if ticket.transfers >= tonumber(times) then return refuse('LIMIT_REACHED') end
  return {
    number = number, counter = id,
    events = {{'xfer', string.format('"k":"%s","c":"%s","s":"%s"', number, id, service)}},
    apply = function(n)
      enter(ticket, 'WAITING')
      ticket.nb = calls_of(service) + math.max(0, ticket.nb - calls_of(ticket.service))
      ticket.service, ticket.transfers = service, ticket.transfers + 1
      join_line(ticket)
      ticket.event, counter.event, counter.ticket = n, n, ''
      return save_ticket(ticket), save_counter(counter)
    end,
  }
end)
