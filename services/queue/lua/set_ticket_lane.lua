-- SetTicketLane: moves a waiting ticket to the priority lane; ord and nb stay.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] number     today's number
-- Returns as in _day.lua

local number = ARGV[17]

return run(function()
  local ticket = ticket_of(number)
  if not ticket then return refuse('TICKET_NOT_FOUND') end
  if ticket.state ~= 'WAITING' then return refuse('WRONG_STATE', 'state', ticket.state) end
  if ticket.lane == 'P' then return refuse('WRONG_STATE', 'state', ticket.state, 'lane', 'PRIORITY') end
  return {
    number = number,
    events = {{'lane', string.format('"k":"%s","l":"P"', number)}},
    apply = function(n)
      leave_line(ticket)
      ticket.lane = 'P'
      join_line(ticket)
      ticket.event = n
      return save_ticket(ticket)
    end,
  }
end)
