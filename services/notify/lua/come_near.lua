-- ComeNear: tells waiting tickets at the head of their lines how near they are. Of several
-- thresholds that one has passed at once, the nearest counts.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- ARGV[4] heads       number:ahead, with spaces between
-- ARGV[5] thresholds  with spaces between
-- ARGV[6] facts       what all messages tell, JSON
-- Returns {"OK", messages}

local heads, thresholds, facts = ARGV[4], ARGV[5], ARGV[6]

local function passed(ahead)
  local nearest = FAR
  for each in thresholds:gmatch('%d+') do
    local at = tonumber(each)
    if ahead <= at and at < nearest then nearest = at end
  end
  return nearest
end

local told = 0
for number, ahead in heads:gmatch('(%w+):(%d+)') do
  local record, at = load(number), passed(tonumber(ahead))
  if record and record.state == 'W' and record.subs ~= '' and at < record.near then
    record.near = at
    local its = cjson.decode(facts)
    its.ahead = tonumber(ahead)
    told = told + tell(number, record, 'NEAR.' .. at .. '.' .. record.line, 'NEAR', its)
    save(number, record)
  end
end
return {'OK', told}
