-- The shared frame of every script: one atomic step of one office's service day.
--
-- Redis does not roll back, so a script first checks everything; nothing after
-- its first write may fail.
--
-- KEYS[1] days        hash: by day, the closed day's record
-- KEYS[2] open        set: days that have counts and are not closed
-- KEYS[3] counts      hash of the day: how many, by cell
-- KEYS[4] answers     hash of the day: the answer that counts, by ticket number
-- KEYS[5] assessed    hash of the day: when the questionnaire was filled in, by ticket number
-- KEYS[6] requests    hash of the day: what a request id has already done
-- ARGV[1] day         YYYY-MM-DD
-- ARGV[2] clock       "epoch,start,speed", empty for the real one
-- ARGV[3] digest      what the request id is remembered by, empty without one
-- ARGV[4] payload     hash of the request, empty without a request id
-- Returns {"OK", fields of the record ...}, the same with "AGAIN" for a repetition, or
-- {"NO", reason, key, value ...}.

local days_key, open_key, counts_key = KEYS[1], KEYS[2], KEYS[3]
local answers_key, assessed_key, requests_key = KEYS[4], KEYS[5], KEYS[6]
local day, clock, digest, payload = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local LINKS_TTL_MS = 172800000 -- real time: what links a ticket to its answer never stays longer

local function refuse(reason, ...)
  return {'NO', reason, ...}
end

local function ms(value) return string.format('%.0f', value) end

local function split(text)
  local parts = {}
  for part in (text .. '|'):gmatch('([^|]*)|') do parts[#parts + 1] = part end
  return parts
end

-- Domain ms UTC: the queue's formula over the same TIME.
local function read_clock()
  local time = redis.call('TIME')
  local t = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if clock == '' then return t end
  local epoch, start, speed = clock:match('^([^,]+),([^,]+),([^,]+)$')
  return tonumber(start) + math.floor((t - tonumber(epoch)) * tonumber(speed))
end

local function answer(word, record)
  local parts = split(record)
  table.insert(parts, 1, word)
  return parts
end

-- The answer that ends the step before its own checks, nil to go on.
local function replayed_or_late()
  if redis.call('HEXISTS', days_key, day) == 1 then return refuse('ANSWER_TOO_LATE') end
  local stored = digest ~= '' and redis.call('HGET', requests_key, digest)
  if not stored then return nil end
  if stored:sub(1, #payload + 1) ~= payload .. '|' then return refuse('REQUEST_ID_REUSED') end
  return answer('AGAIN', stored:sub(#payload + 2))
end

local function count(cells, by)
  for cell in cells:gmatch('%S+') do
    if redis.call('HINCRBY', counts_key, cell, by) == 0 then redis.call('HDEL', counts_key, cell) end
  end
  redis.call('SADD', open_key, day)
end

local function remember(record)
  if digest ~= '' then
    redis.call('HSET', requests_key, digest, payload .. '|' .. record)
    redis.call('PEXPIRE', requests_key, LINKS_TTL_MS)
  end
end
