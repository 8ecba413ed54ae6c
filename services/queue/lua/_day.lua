-- The shared frame of every script: one atomic step of one office's service day.
--
-- Redis does not roll back, so a verb first checks everything, then says what it
-- will write; run() writes the events and only then lets it change state. Nothing
-- after the first XADD may fail.
--
-- KEYS[1] office      hash: the running or last day, its flags, n and t
-- KEYS[2] journal     stream: one entry an event, id <yyyymmdd>-<n>, field l = the leaf
-- KEYS[3] file        hash: the applied Kecamatan file and its generation
-- KEYS[4] policies    hash: policy document by its SHA-256
-- KEYS[5] frozen      hash: by day, the names and guesses frozen at day open
-- KEYS[6] tickets     hash of the day: record by number
-- KEYS[7] ids         hash of the day: number by the secret part of the ticket id
-- KEYS[8] holders     hash of the day: latest number by salted holder hash
-- KEYS[9] counters    hash of the day: record by counter id
-- KEYS[10] counts     hash of the day: issued:, used:, web:, cs: by service
-- KEYS[11] ripe       sorted set of the day, by lex: <service><lane><ord>:<number>
-- KEYS[12] unripe     sorted set of the day, by lex: <service><nb><lane><ord>:<number>
-- KEYS[13] request    string: what the request id of this call has already done
-- KEYS[14] audit      stream: who did what
-- ARGV[1] code        of the office
-- ARGV[2] day         YYYY-MM-DD, the date that the caller believes in
-- ARGV[3] from        ms UTC, begin of that date
-- ARGV[4] upto        ms UTC, end of that date, exclusive
-- ARGV[5] hours       "open-close,open-close" in ms UTC, empty on a closed date
-- ARGV[6] close_at    ms UTC
-- ARGV[7] policy      SHA-256 of the day's policy document
-- ARGV[8] salt        of the day's holder hashes
-- ARGV[9] clock       "epoch,start,speed", empty for the real one
-- ARGV[10] generation of the file that the next three come from
-- ARGV[11] document   the policy document, empty once the day is open
-- ARGV[12] names      what is frozen beside it
-- ARGV[13] verb       as in the RPC
-- ARGV[14] payload    hash of the request, empty without a request id
-- ARGV[15] subject    who acts, for the audit and the counter; empty for citizens
-- ARGV[16] supervisor "1" if the caller may act at anybody's counter
-- Returns {"OK", t, n, number, ticket record, counter id, counter record},
-- {"AGAIN", stored request}, {"NO", reason, key, value ...}, {"STALE", t} when the
-- caller's day is not the office's, or {"CLOSE", day} when that day must be closed.

local office_key, journal_key, file_key = KEYS[1], KEYS[2], KEYS[3]
local policies_key, frozen_key, tickets_key = KEYS[4], KEYS[5], KEYS[6]
local ids_key, holders_key, counters_key = KEYS[7], KEYS[8], KEYS[9]
local counts_key, ripe_key, unripe_key = KEYS[10], KEYS[11], KEYS[12]
local request_key, audit_key = KEYS[13], KEYS[14]
local code, day, hours = ARGV[1], ARGV[2], ARGV[5]
local from, upto, close_at = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local policy, salt, clock, generation = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local document, names = ARGV[11], ARGV[12]
local verb, payload, subject, supervisor = ARGV[13], ARGV[14], ARGV[15], ARGV[16] == '1'

local REQUEST_TTL_MS = 172800000 -- two days: yesterday's requests are still known
local AUDIT_DAYS = 180
local RECALL_GAP_MS = 20000
local CLOCK_TOLERANCE_MS = 5000

local office       -- the office hash as a table
local stored       -- its values as Redis has them, false where it has none
local opening      -- whether this step opens the day
local now, clamp   -- domain ms UTC; by how much the clock was held back

local function refuse(reason, ...)
  return {'NO', reason, ...}
end

local function split(text)
  local parts = {}
  for part in (text .. '|'):gmatch('([^|]*)|') do parts[#parts + 1] = part end
  return parts
end

local function ms(value) return string.format('%.0f', value) end

-- Time ----------------------------------------------------------------------

local function read_clock(last)
  local time = redis.call('TIME')
  local t = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if clock ~= '' then
    local epoch, start, speed = clock:match('^([^,]+),([^,]+),([^,]+)$')
    t = tonumber(start) + math.floor((t - tonumber(epoch)) * tonumber(speed))
  end
  clamp = math.max(0, last - t)
  now = t + clamp
end

local function within_hours()
  for opens, closes in hours:gmatch('(%d+)-(%d+)') do
    if now >= tonumber(opens) and now < tonumber(closes) then return true end
  end
  return false
end

-- The day -------------------------------------------------------------------

local OFFICE = {'day', 'policy', 'n', 't', 'open', 'hours', 'office', 'why', 'salt', 'held', 'event'}

local function read_office()
  local values = redis.call('HMGET', office_key, unpack(OFFICE))
  office, stored = {}, {}
  for i, name in ipairs(OFFICE) do office[name], stored[name] = values[i] or '', values[i] end
  office.n = tonumber(office.n) or -1
  read_clock(tonumber(office.t) or 0)
end

local function begin_day()
  if document == '' or redis.call('HGET', file_key, 'generation') ~= generation then
    return {'STALE', ms(now)}
  end
  if hours == '' or now >= close_at then return refuse('OFFICE_CLOSED') end
  opening = true
  office = {
    day = day, policy = policy, n = -1, t = office.t, open = '1', hours = '0', office = '1',
    why = '', salt = salt, held = '', event = '-1',
  }
end

-- The answer that ends the step before any verb is asked, nil to go on.
local function check_day()
  if now < from or now >= upto then return {'STALE', ms(now)} end
  if office.day ~= day then
    if office.open == '1' then return {'CLOSE', office.day} end
    if office.day > day then return refuse('OFFICE_CLOSED') end
    return begin_day()
  end
  if office.open ~= '1' then return refuse('OFFICE_CLOSED') end
  if office.policy ~= policy or office.salt ~= salt then return {'STALE', ms(now)} end
  if now >= close_at then return refuse('OFFICE_CLOSED') end
end

-- The journal ---------------------------------------------------------------

local function write(e, fields)
  local n = office.n + 1
  local leaf = string.format('{"v":1,"o":"%s","d":"%s","n":%d,"t":%s,"e":"%s"%s}',
    code, office.day, n, ms(now), e, fields == '' and '' or ',' .. fields)
  redis.call('XADD', journal_key, office.day:gsub('-', '') .. '-' .. n, 'l', leaf)
  office.n, office.t = n, ms(now)
end

local function due_events()
  local due = {}
  if opening then due[#due + 1] = {'day.open', '"pol":"' .. policy .. '"'} end
  if clamp > CLOCK_TOLERANCE_MS and office.held ~= ms(now) then
    due[#due + 1] = {'clock', '"ms":' .. ms(clamp)}
  end
  if within_hours() ~= (office.hours == '1') then
    due[#due + 1] = {within_hours() and 'issue.go' or 'issue.stop', '"why":"hours"'}
  end
  return due
end

-- Writes what has changed of it.
local function save_office()
  local changed = {}
  for _, name in ipairs(OFFICE) do
    local value = tostring(office[name])
    if value ~= stored[name] then
      changed[#changed + 1], changed[#changed + 2], stored[name] = name, value, value
    end
  end
  if changed[1] then redis.call('HSET', office_key, unpack(changed)) end
end

local function write_due()
  for _, event in ipairs(due_events()) do write(event[1], event[2]) end
  if clamp > CLOCK_TOLERANCE_MS then office.held = ms(now) end
  office.hours = within_hours() and '1' or '0'
  if opening then
    redis.call('HSET', policies_key, policy, document)
    redis.call('HSET', frozen_key, day, names)
    opening = nil
  end
end
