-- Notes figures of this minute that no step of the line counts.
--
-- ARGV  'sample' or '', then (figure, number to add) *
-- Gives 'ok', now;  or 'noqueue'
--
-- 'sample': how many wait and are on the site now; the last one of a minute stands for it. The
-- admitters take it. What the pods add is how good their predictions of the wait were.
--
-- Writes: one hash. A lost figure is nobody's loss.
local lanes = call('HGET', KEYS[1], 'lanes')
if not lanes then return { 'noqueue' } end
local minute = key('stats:' .. int(math.floor(now / 60000)))
if ARGV[1] == 'sample' then
	local waiting, list = 0, lanes_of(lanes)
	for i = 1, #list do
		waiting = waiting + number(call('GET', key('ticket:' .. list[i].name)), 0)
			- number(call('HGET', key('counts'), 'gone:' .. list[i].name), 0)
	end
	call('HSET', minute, 'waiting', int(waiting), 'active', int(call('ZCARD', key('sessions'))))
end
for i = 2, #ARGV, 2 do call('HINCRBY', minute, ARGV[i], ARGV[i + 1]) end
if ARGV[1] == 'sample' or #ARGV > 1 then call('PEXPIRE', minute, int(STATS_KEEP_MS)) end
return { 'ok', int(now) }
