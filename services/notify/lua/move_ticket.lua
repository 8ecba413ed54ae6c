-- MoveTicket: what an event did to a ticket, and the message that follows from it.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] number      the ticket's
-- ARGV[5] ev          the event
-- ARGV[6] state       where it stands now: W C S N H, X = closed
-- ARGV[7] kind        of the message, empty for none
-- ARGV[8] facts       what the message tells, JSON
-- ARGV[9] how         "" as it comes; "line" into another line; "force" whatever was known
-- Returns {"OK", messages}

local number, ev, state, kind = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local facts, how = ARGV[8], ARGV[9]

local record, told = load(number), 0
if record and not record.over and (ev > record.ev or how == 'force') then
  record.ev, record.state = ev, state
  if state == 'X' then
    close(number, record)
  elseif how == 'line' then
    record.near, record.line = FAR, record.line + 1
  elseif kind ~= '' then
    told = tell(number, record, kind .. '.' .. string.format('%d', ev), kind, cjson.decode(facts))
  end
  save(number, record)
  advance()
end
return {'OK', told}
