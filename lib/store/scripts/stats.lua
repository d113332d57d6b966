-- The figures of the last minutes, for the operators.
--
-- ARGV  how many minutes, the one that has begun among them
-- Gives 'ok', now, { figure, number, … } per minute, the oldest first, empty when nothing was noted
--       or 'noqueue'
--
-- Reads only.
if call('EXISTS', KEYS[1]) == 0 then return { 'noqueue' } end
local answer, this, count_of = { 'ok', int(now) }, math.floor(now / 60000), tonumber(ARGV[1])
for i = 1, count_of do
	answer[i + 2] = call('HGETALL', key('stats:' .. int(this - count_of + i)))
end
return answer
