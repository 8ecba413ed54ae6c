-- ReleasePhone: ends every subscription of a phone number.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] phone       digits
-- Returns {"OK", target of the last one, empty if there was none}

local phone = ARGV[4]

local last = ''
for field in (redis.call('HGET', phones_key, phone) or ''):gmatch('%S+') do
  local number, sub = field:match('^([^.]+)%.(.+)$')
  local record = load(number)
  last = redis.call('HGET', targets_key, field) or last
  if record then
    remove(number, record, sub)
    save(number, record)
  end
end
return {'OK', last}
