-- ApplyKecamatan: keeps the file and counts a generation if it differs. The running day
-- is not touched: its policy is frozen.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- ARGV[17] file       the validated file, canonical JSON
-- Returns as in _day.lua

local file = ARGV[17]

local again = replayed()
if again then return again end
read_office()
local before = redis.call('HMGET', file_key, 'file', 'deleted')
if before[1] ~= file or before[2] == '1' then
  redis.call('HINCRBY', file_key, 'generation', 1)
  redis.call('HSET', file_key, 'file', file, 'applied_at', ms(now), 'deleted', '0')
  office.event = '-1'
  audit('', '')
end
remember('', '')
return {'OK', ms(now), '-1', '', '', '', ''}
