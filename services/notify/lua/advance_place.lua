-- AdvancePlace: notes how far the journal was followed.
--
-- KEYS and ARGV[1..3] as in _step.lua
-- Returns {"OK"}

advance()
return {'OK'}
