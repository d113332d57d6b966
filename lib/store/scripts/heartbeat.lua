-- Notes that these people were there: one call for everybody who polled at a worker lately.
--
-- ARGV  ids (none: only the mark that a pod is listening)
-- Gives 'ok', now, then the numbers (from 1) of the ids that are in nobody's care: left, admitted
--       meanwhile, or lost by the store; or 'noqueue'
--
-- XX: a late heartbeat never brings back somebody who has expired. Whoever was not heard for much
-- longer than polls are asked for has it noted, for support; but not what was our outage: before
-- listening resumed, and while it is not known to have resumed, nobody counts as silent.
--
-- Writes: the mark, one ZADD, notes. Losing the first two costs one poll.
local GAP_MIN_MS = 75000 -- a hidden tab polls once a minute, and that is no gap
local DEAF_MS = 10000 -- no tick or flush for so long: the next tick begins a new patience
local cfg = call('HMGET', KEYS[1], 'version', 'poll_max_ms')
if not cfg[1] then return { 'noqueue' } end
local answer = { 'ok', int(now) }
local clock_was = #ARGV > 0 and call('HMGET', key('clock'), 'tick_ms', 'flush_ms', 'since_ms')
call('HSET', key('clock'), 'flush_ms', int(now))
if #ARGV == 0 then return answer end
local heard_before = now - math.max(2 * number(cfg[2], 30000), GAP_MIN_MS)
if math.min(number(clock_was[1], 0), number(clock_was[2], 0)) < now - DEAF_MS
	or number(clock_was[3], now) > heard_before then
	heard_before = 0
end
local scores = call('ZMSCORE', key('heartbeats'), unpack(ARGV))
local args, n, at, late = {}, 0, int(now), {}
for i = 1, #ARGV do
	local score = scores[i]
	if score then
		args[n + 1] = at
		args[n + 2] = ARGV[i]
		n = n + 2
		local last = tonumber(score)
		if last >= 0 and last < heard_before then
			late[ARGV[i]] = 'g' .. at .. ':' .. int(now - math.floor(last))
		end
	else
		answer[#answer + 1] = i
	end
end
if n > 0 then call('ZADD', key('heartbeats'), 'XX', unpack(args)) end
for id, gap in pairs(late) do remember(id, gap) end
return answer
