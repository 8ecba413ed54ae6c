-- RequeueTicket: a CALLED ticket of an abandoned console goes back to where it stood.
-- Calls counted and credit stay as they are.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] number     today's number
-- Returns as in _day.lua

local number = ARGV[17]

return run(function()
  local ticket = ticket_of(number)
  if not ticket then return refuse('TICKET_NOT_FOUND') end
  if ticket.state ~= 'CALLED' then return refuse('WRONG_STATE', 'state', ticket.state) end
  local counter = counter_of(ticket.counter, '-', '0')
  return {
    number = number, counter = counter.id,
    events = {{'requeue', string.format('"k":"%s","c":"%s"', number, counter.id)}},
    apply = function(n)
      enter(ticket, 'WAITING')
      join_line(ticket)
      ticket.event, counter.event, counter.ticket = n, n, ''
      return save_ticket(ticket), save_counter(counter)
    end,
  }
end)
