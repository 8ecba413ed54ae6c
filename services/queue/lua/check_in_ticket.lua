-- CheckInTicket: the holder has arrived; said once.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] number     today's number
-- Returns as in _day.lua

local number = ARGV[17]

return run(function()
  local ticket = ticket_of(number)
  if not ticket then return refuse('TICKET_NOT_FOUND') end
  if ticket.state ~= 'WAITING' and ticket.state ~= 'ON_HOLD' then
    return refuse('WRONG_STATE', 'state', ticket.state)
  end
  if ticket.present == '1' then return refuse('ALREADY_PRESENT') end
  return {
    number = number,
    events = {{'present', string.format('"k":"%s"', number)}},
    apply = function(n)
      ticket.present = '1'
      ticket.event = n
      return save_ticket(ticket)
    end,
  }
end)
