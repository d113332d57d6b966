-- Marks tickets as gone that a pod has seen leaving the line, and that this store has forgotten: it
-- took over from one that knew more.
--
-- ARGV  epoch, lane, (first, last) of ranges, none over the end of a chunk
-- Gives 'ok', now;  or 'noqueue'
--
-- Their people are in the list again, or bring their lost places back (restore), and are let in, or
-- expire, in their turn. But nobody behind counts them once more: whoever was told a number by that
-- pod would be told a higher one by another.
--
-- Writes: bitmap - counts - departures. Whatever is missing is told by the next pod, or comes when
-- they leave.
local cfg = call('HMGET', KEYS[1], 'version', 'lanes')
if not cfg[1] then return { 'noqueue' } end
local lane, known = ARGV[2], false
for _, one in ipairs(lanes_of(cfg[2])) do known = known or one.name == lane end
if not known or ARGV[1] ~= epoch_now() or call('HGET', key('counts'), 'rebuild') then return { 'ok', int(now) } end
local ranges, given = {}, number(call('GET', key('ticket:' .. lane)), 0)
for i = 3, #ARGV, 2 do
	local first, last, n = tonumber(ARGV[i]), math.min(tonumber(ARGV[i + 1]), given), #ranges
	if first <= last then ranges[n + 1], ranges[n + 2], ranges[n + 3] = lane, first, last end
end
depart_ranges(ranges)
return { 'ok', int(now) }
