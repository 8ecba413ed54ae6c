-- DeleteKecamatan: takes the office off the list. The caller closes its day first; days,
-- policies and journal stay.
--
-- KEYS and ARGV[1..16] as in _day.lua
-- Returns as in _day.lua

local again = replayed()
if again then return again end
read_office()
if redis.call('HGET', file_key, 'deleted') ~= '0' then return refuse('KECAMATAN_NOT_FOUND') end
if office.open == '1' then return {'CLOSE', office.day} end
redis.call('HINCRBY', file_key, 'generation', 1)
redis.call('HSET', file_key, 'deleted', '1')
office.event = '-1'
audit('', '')
remember('', '')
return {'OK', ms(now), '-1', '', '', '', ''}
