-- Which processes there are: each says every few seconds how it is.
--
-- ARGV  instance ("": only read)
--       its row without the time, as members of a JSON object; "": it ends, the row is taken away
--       ms after which the rows of others are dropped, when they were not renewed
-- Gives the store's time, and when reading the rows: instance, row, instance, row, …
-- Rows begin with the store's time, so that no process need have a clock that is right.
local pods, keep = key('pods'), tonumber(ARGV[3])
if ARGV[1] ~= '' then
	if ARGV[2] == '' then
		call('HDEL', pods, ARGV[1])
	else
		call('HSET', pods, ARGV[1], '{"seen_ms":' .. int(now) .. ',' .. ARGV[2] .. '}')
	end
end
local rows, kept = call('HGETALL', pods), {}
for i = 1, #rows, 2 do
	local seen = number(string.match(rows[i + 1], '^{"seen_ms":(%d+),'), 0)
	if math.abs(now - seen) > keep then
		call('HDEL', pods, rows[i])
	elseif ARGV[1] == '' then
		kept[#kept + 1] = rows[i]
		kept[#kept + 1] = rows[i + 1]
	end
end
return { now, kept }
