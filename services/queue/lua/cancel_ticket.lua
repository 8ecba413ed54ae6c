-- CancelTicket: gives a number back. It frees quota, never the number.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] number     today's number
-- ARGV[18] by         holder or desk
-- Returns as in _day.lua

local number, by = ARGV[17], ARGV[18]

return run(function()
  local ticket = ticket_of(number)
  if not ticket then return refuse('TICKET_NOT_FOUND') end
  local state = ticket.state
  if state ~= 'WAITING' and state ~= 'ON_HOLD' and state ~= 'NO_SHOW' then
    return refuse('WRONG_STATE', 'state', state)
  end
  return {
    number = number,
    events = {{'cancel', string.format('"k":"%s","by":"%s"', number, by)}},
    apply = function(n)
      local issued_for = number:sub(1, 1)
      if state == 'WAITING' then leave_line(ticket) end
      redis.call('HINCRBY', counts_key, 'used:' .. issued_for, -1)
      if ticket.channel == 'W' or ticket.channel == 'A' then
        redis.call('HINCRBY', counts_key, 'web:' .. issued_for, -1)
      end
      enter(ticket, 'CANCELLED')
      ticket.closed = now
      ticket.event = n
      return save_ticket(ticket)
    end,
  }
end)
