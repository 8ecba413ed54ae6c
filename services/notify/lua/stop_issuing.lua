-- StopIssuing: tells those who wait that the office gives no more numbers, or that this is over.
-- Called for some numbers at a time; the cursor comes with the last.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] stop        n of the event that stopped it, empty: it goes on
-- ARGV[5] numbers     tickets to tell, with spaces between
-- ARGV[6] facts       what the message tells, JSON
-- Returns {"OK", messages}

local stop, numbers, facts = ARGV[4], ARGV[5], ARGV[6]

local told = 0
local known = redis.call('HMGET', place_key, 'day', 'n')
if known[1] and (known[1] > day or known[1] == day and tonumber(known[2]) >= reached) then
  return {'OK', told} -- another replica is past it
end
redis.call('HSET', place_key, 'stop', stop == '' and '' or day .. '.' .. stop)
for number in numbers:gmatch('%S+') do
  local record = load(number)
  if record and (record.state == 'W' or record.state == 'N' or record.state == 'H') then
    local its = cjson.decode(facts)
    told = told + tell(number, record, 'ISSUING_STOPPED.' .. stop, 'ISSUING_STOPPED', its)
    save(number, record)
  end
end
advance()
return {'OK', told}
