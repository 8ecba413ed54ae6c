-- CreateAssessment: counts a questionnaire; of the ticket only that it had one is kept.
--
-- KEYS and ARGV[1..4] as in _step.lua
-- ARGV[5] number      the completed ticket
-- ARGV[6] cells       what the questionnaire raises, with spaces between
-- Returns as in _step.lua; the record is number, when

local number, cells = ARGV[5], ARGV[6]

local over = replayed_or_late()
if over then return over end
if redis.call('HEXISTS', assessed_key, number) == 1 then return refuse('ALREADY_ANSWERED') end

local now = ms(read_clock())
count(cells, 1)
redis.call('HSET', assessed_key, number, now)
redis.call('PEXPIRE', assessed_key, LINKS_TTL_MS)
remember(number .. '|' .. now)
return answer('OK', number .. '|' .. now)
