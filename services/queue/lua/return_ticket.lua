-- ReturnTicket: a passed over or held citizen is back in the line.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] number     today's number
-- ARGV[18] times      how often one may return after being passed over
-- ARGV[19] back       ms within which, after being passed over
-- ARGV[20] hold       ms within which, after a hold
-- ARGV[21] after_calls calls of the service before one who was passed over
-- Returns as in _day.lua

local number, times, back, hold, after_calls = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]

return run(function()
  local ticket = ticket_of(number)
  if not ticket then return refuse('TICKET_NOT_FOUND') end
  local absent = ticket.state == 'NO_SHOW'
  if not absent and ticket.state ~= 'ON_HOLD' then
    return refuse('WRONG_STATE', 'state', ticket.state)
  end
  if absent and ticket.returns >= tonumber(times) then return refuse('LIMIT_REACHED') end
  local within = tonumber(absent and back or hold)
  if now > ticket.since + within then return refuse('RETURN_EXPIRED') end
  return {
    number = number,
    events = {{'return', string.format('"k":"%s"', number)}},
    apply = function(n)
      ticket.nb = calls_of(ticket.service) + (absent and tonumber(after_calls) or 0)
      if absent then ticket.returns = ticket.returns + 1 end
      enter(ticket, 'WAITING')
      join_line(ticket)
      ticket.event = n
      return save_ticket(ticket)
    end,
  }
end)
