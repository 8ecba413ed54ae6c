-- The shared frame of every script: one atomic step of one office's service day.
--
-- Redis does not roll back, so a script first checks everything; nothing after
-- its first write may fail. A ticket's record is JSON: id, subs and waiting
-- (subscriptions, with spaces between), state (W C S N H, as the queue's), ev
-- (its last event), near (the nearest threshold passed), said (what has been
-- said), count (messages), logged (deliveries), line (how often it changed
-- lines), over.
--
-- KEYS[1] place       hash: how far the journal was followed, and the running stop
-- KEYS[2] days        set: days that have keys
-- KEYS[3] outbox      stream: deliveries to be made
-- KEYS[4] later       zset: deliveries to be tried again, by when
-- KEYS[5] dead        stream: what was given up
-- KEYS[6] tickets     hash of the day: record by number
-- KEYS[7] targets     hash of the day: subscription by number.id
-- KEYS[8] codes       hash of the day: number.id by code
-- KEYS[9] phones      hash of the day: number.ids by phone
-- KEYS[10] requests   hash of the day: what a request id has already done
-- KEYS[11] deliveries hash of the day: what became of a message, by number.place
-- ARGV[1] day         YYYY-MM-DD
-- ARGV[2] reached     n of the event that this step follows from, -1 if it is none
-- ARGV[3] cursor      the journal's cursor after that event, empty if it is none
-- Returns {"OK", ...} or {"NO", reason, key, value ...}.

local place_key, days_key, outbox_key = KEYS[1], KEYS[2], KEYS[3]
local later_key, dead_key, tickets_key = KEYS[4], KEYS[5], KEYS[6]
local targets_key, codes_key, phones_key = KEYS[7], KEYS[8], KEYS[9]
local requests_key, deliveries_key = KEYS[10], KEYS[11]
local day, reached, cursor = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local LIFE_MS = 86400000 -- real time, from a key's first write: a ticket's day is not longer
local MOST_SAID = 5      -- messages of a ticket; the last is kept for a call
local FAR = 1000         -- as a threshold: none has been passed

local function refuse(reason, ...)
  return {'NO', reason, ...}
end

local function expire(key)
  if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, LIFE_MS) end
end

local function put(key, field, value)
  redis.call('HSET', key, field, value)
  expire(key)
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Words with spaces between ------------------------------------------------------------

local function has(list, word)
  return (' ' .. list .. ' '):find(' ' .. word .. ' ', 1, true) ~= nil
end

local function with(list, word)
  if has(list, word) then return list end
  return list == '' and word or list .. ' ' .. word
end

local function without(list, word)
  local kept = {}
  for each in list:gmatch('%S+') do
    if each ~= word then kept[#kept + 1] = each end
  end
  return table.concat(kept, ' ')
end

local function size(list)
  local _, count = list:gsub('%S+', '')
  return count
end

-- Tickets and subscriptions --------------------------------------------------------------

local function load(number)
  local text = redis.call('HGET', tickets_key, number)
  return text and cjson.decode(text)
end

local function save(number, record)
  put(tickets_key, number, cjson.encode(record))
  redis.call('SADD', days_key, day)
end

-- Whoever it belonged to is forgotten with it.
local function remove(number, record, sub)
  local field = number .. '.' .. sub
  local text = redis.call('HGET', targets_key, field)
  if text then
    local target = cjson.decode(text)
    if target.code ~= '' then redis.call('HDEL', codes_key, target.code) end
    local owned = redis.call('HGET', phones_key, target.address)
    if owned then
      owned = without(owned, field)
      if owned == '' then
        redis.call('HDEL', phones_key, target.address)
      else
        redis.call('HSET', phones_key, target.address, owned)
      end
    end
    redis.call('HDEL', targets_key, field)
  end
  record.subs, record.waiting = without(record.subs, sub), without(record.waiting, sub)
end

local function close(number, record)
  for sub in (record.subs .. ' ' .. record.waiting):gmatch('%S+') do remove(number, record, sub) end
  record.id, record.over = '', true
end

-- Messages -------------------------------------------------------------------------------

-- Says it once, on every subscription; whether it did. `facts` is a table.
local function tell(number, record, claim, kind, facts)
  local most = kind == 'CALLED' and MOST_SAID or MOST_SAID - 1
  if record.subs == '' or record.count >= most or has(record.said, claim) then return 0 end
  record.said, record.count = with(record.said, claim), record.count + 1
  facts.day, facts.number, facts.kind, facts.claim = day, number, kind, claim
  facts.message = redis.sha1hex(tickets_key .. '|' .. number .. '|' .. claim):sub(1, 32)
  facts.at, facts.tries = now_ms(), 0
  for sub in record.subs:gmatch('%S+') do
    facts.sub, facts.place = sub, record.logged
    record.logged = record.logged + 1
    local entry = cjson.encode(facts)
    put(deliveries_key, number .. '.' .. facts.place, entry)
    redis.call('XADD', outbox_key, '*', 'e', entry)
  end
  redis.call('PEXPIRE', outbox_key, LIFE_MS)
  return 1
end

-- The journal's place never goes back; what was forgotten begins anew.
local function advance()
  if cursor == '' then return end
  local known = redis.call('HMGET', place_key, 'day', 'n')
  if known[1] and (known[1] > day or known[1] == day and tonumber(known[2]) >= reached) then
    return
  end
  redis.call('HSET', place_key, 'day', day, 'n', reached, 'cursor', cursor)
end

local function again(digest, payload)
  local stored = digest ~= '' and redis.call('HGET', requests_key, digest)
  if not stored then return nil end
  if stored:sub(1, #payload + 1) ~= payload .. '|' then return refuse('REQUEST_ID_REUSED') end
  return {'AGAIN', stored:sub(#payload + 2)}
end

local function remember(digest, payload, what)
  if digest ~= '' then put(requests_key, digest, payload .. '|' .. what) end
end
