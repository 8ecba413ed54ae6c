-- CreateResponse: the one answer that counts for a completed ticket.
--
-- KEYS and ARGV[1..4] as in _step.lua
-- ARGV[5] number      the completed ticket
-- ARGV[6] by          "H" its holder, "K" the tablet at its counter
-- ARGV[7] said        answer and reasons, as the answer shows them
-- ARGV[8] cells       what the answer raises, with spaces between
-- ARGV[9] shown       the number that the tablet shows, empty if none
-- ARGV[10] done_at    ms UTC, when the ticket was completed
-- ARGV[11] change_ms  for how long its holder may change an answer
-- ARGV[12] tablet_ms  for how long after the completion the tablet may answer
-- Returns as in _step.lua; the record is number, by, said, when first answered, cells

local number, by, said, cells = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local shown, done_at = ARGV[9], tonumber(ARGV[10])
local change_ms, tablet_ms = tonumber(ARGV[11]), tonumber(ARGV[12])

local over = replayed_or_late()
if over then return over end
if shown ~= '' and shown ~= number then return refuse('TICKET_CHANGED', 'ticket', number) end
local now = read_clock()
if by == 'K' and now > done_at + tablet_ms then return refuse('ANSWER_TOO_LATE') end

local first, stored = ms(now), redis.call('HGET', answers_key, number)
local former = stored and split(stored)
if former then
  local changeable = by == 'H' and former[2] == 'H' and now <= tonumber(former[4]) + change_ms
  if not changeable then return refuse('ALREADY_ANSWERED') end
  first = former[4]
end

if former then count(former[5], -1) end
count(cells, 1)
local record = table.concat({number, by, said, first, cells}, '|')
redis.call('HSET', answers_key, number, record)
redis.call('PEXPIRE', answers_key, LINKS_TTL_MS)
remember(record)
return answer('OK', record)
