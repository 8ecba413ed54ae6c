-- BindPhone: gives the subscription that waits for a code the number that wrote it.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] code        as written
-- ARGV[5] phone       digits
-- Returns {"OK", number, subscription, target} or as in _step.lua: CODE_NOT_FOUND

local code, phone = ARGV[4], ARGV[5]

local field = redis.call('HGET', codes_key, code)
local text = field and redis.call('HGET', targets_key, field)
if not text then return refuse('CODE_NOT_FOUND') end
local number, sub = field:match('^([^.]+)%.(.+)$')
local target, record = cjson.decode(text), load(number)
if not record or (target.address ~= '' and target.address ~= phone) then
  return refuse('CODE_NOT_FOUND')
end
if target.address == '' then
  target.address = phone
  text = cjson.encode(target)
  put(targets_key, field, text)
  put(phones_key, phone, with(redis.call('HGET', phones_key, phone) or '', field))
  record.waiting, record.subs = without(record.waiting, sub), with(record.subs, sub)
  save(number, record)
end
return {'OK', number, sub, text}
