-- ReportDisplay: keeps what a display of the hall says of itself and adds up what it has played.
-- Counts are totals of one page's life: what is added is by how much they have grown, so a report
-- that comes twice, or late, adds nothing. No event, and nothing that any order depends on.
--
-- KEYS[1] displays  hash: JSON by display's name, {at, shown, films, pages}
-- KEYS[2] file      hash: the applied Kecamatan file
-- KEYS[3] office    hash: the running or last day
-- ARGV[1] display   its name
-- ARGV[2] page      the random name of the page that reports
-- ARGV[3] shown     JSON {day, event, version, live, sound}; day is empty before a board is there
-- ARGV[4] played    JSON {film: [plays, seconds]} of that page's life
-- ARGV[5] life      ms for which a report is kept
-- ARGV[6] most      displays of an office
-- ARGV[7] pages     of a display that are remembered: two screens may have one name
-- Returns {"OK", the display's JSON} or {"NO", reason}

local displays_key, file_key, office_key = KEYS[1], KEYS[2], KEYS[3]
local display, page = ARGV[1], ARGV[2]
local shown, played = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local life, most, pages = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local LARGEST = 2147483647 -- of what is added up, for it is shown as 32 bits

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

if redis.call('HGET', file_key, 'deleted') ~= '0' then return {'NO', 'KECAMATAN_NOT_FOUND'} end

local known, gone, others = nil, {}, 0
local fields = redis.call('HGETALL', displays_key)
for i = 1, #fields, 2 do
  local record = cjson.decode(fields[i + 1])
  if record.at < now - life then
    gone[#gone + 1] = fields[i]
  elseif fields[i] == display then
    known = record
  else
    others = others + 1
  end
end
if not known and others >= most then return {'NO', 'TOO_MANY_DISPLAYS'} end

-- By how many events of the day the board was behind; nil before there is a board.
local function behind()
  if shown.day == '' then return nil end
  local office = redis.call('HMGET', office_key, 'day', 'n')
  local n = tonumber(office[2]) or -1
  if shown.day == office[1] then return math.max(0, n - shown.event) end
  return n + 1
end

local record = known or {films = {}, pages = {}}
local before = record.pages[page] or {films = {}}
for film, counts in pairs(played) do
  local all, own = record.films[film] or {0, 0}, before.films[film] or {0, 0}
  for i = 1, 2 do
    all[i] = math.min(LARGEST, all[i] + math.max(0, counts[i] - own[i]))
    own[i] = math.max(own[i], counts[i])
  end
  record.films[film], before.films[film] = all, own
end
before.at, record.at, shown.behind = now, now, behind()
record.shown, record.pages[page] = shown, before

local names = {}
for name in pairs(record.pages) do names[#names + 1] = name end
table.sort(names, function(a, b)
  local left, right = record.pages[a].at, record.pages[b].at
  if left == right then return b ~= page and (a == page or a < b) end
  return left > right
end)
for i = pages + 1, #names do record.pages[names[i]] = nil end

local text = cjson.encode(record)
if #gone > 0 then redis.call('HDEL', displays_key, unpack(gone)) end
redis.call('HSET', displays_key, display, text)
redis.call('PEXPIRE', displays_key, life)
return {'OK', text}
