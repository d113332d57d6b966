-- Notes that these people were there: one call for everybody who polled at a worker lately.
--
-- ARGV  ids (none: only the mark that a pod is listening)
-- Gives 'ok', now, then the numbers (from 1) of the ids that are in nobody's care: left, admitted
--       meanwhile, or lost by the store; or 'noqueue'
--
-- XX: a late heartbeat never brings back somebody who has expired. CH counts the scores that
-- changed; only when some did not, the batch is looked at one by one.
--
-- Writes: the mark, then one ZADD. Losing either costs one poll.
if call('EXISTS', KEYS[1]) == 0 then return { 'noqueue' } end
call('HSET', key('clock'), 'flush_ms', int(now))
local answer = { 'ok', int(now) }
if #ARGV == 0 then return answer end
local args, at = {}, int(now)
for i = 1, #ARGV do
	args[i * 2 - 1] = at
	args[i * 2] = ARGV[i]
end
if call('ZADD', key('heartbeats'), 'XX', 'CH', unpack(args)) < #ARGV then
	local scores = call('ZMSCORE', key('heartbeats'), unpack(ARGV))
	for i = 1, #ARGV do
		if not scores[i] then answer[#answer + 1] = i end
	end
end
return answer
