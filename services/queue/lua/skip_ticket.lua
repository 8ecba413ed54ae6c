-- SkipTicket: the citizen did not come, after the calls and the time that the rule asks.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] id         counter
-- ARGV[18] set        the policy's services of the counter, "AB"; empty if it has none such
-- ARGV[19] credit     priorityAfter of the rule, where a counter's credit starts
-- ARGV[20] number     ticket at the counter, as the officer sees it
-- ARGV[21] calls      the least number of calls, recalls included
-- ARGV[22] after      ms since the first of them
-- Returns as in _day.lua

local id, set, credit, number, calls, after = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21], ARGV[22]

return run(function()
  local counter, ticket, refusal = served(id, set, credit, number, 'CALLED')
  if not counter then return refusal end
  local missing = tonumber(calls) - ticket.calls
  local when = ticket.first + tonumber(after)
  if missing > 0 then
    local recall = math.max(now, ticket.last + RECALL_GAP_MS)
    when = math.max(when, recall + (missing - 1) * RECALL_GAP_MS)
  end
  if missing > 0 or now < when then return refuse('TOO_EARLY', 'when', ms(when)) end
  return {
    number = number, counter = id,
    events = {{'noshow', string.format('"k":"%s","c":"%s"', number, id)}},
    apply = function(n)
      enter(ticket, 'NO_SHOW')
      ticket.event, counter.event = n, n
      counter.ticket = ''
      return save_ticket(ticket), save_counter(counter)
    end,
  }
end)
