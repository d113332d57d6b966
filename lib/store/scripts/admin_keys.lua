-- All keys of the admin API; on the shard system/admin.
--
-- Gives 'ok', now, then per key: id, row (JSON), when it was last used (ms, 0: never yet)
--
-- Reads only. There are at most WR_ADMIN_KEYS_MAX.
local rows, answer = call('HGETALL', key('keys')), { 'ok', int(now) }
for i = 1, #rows, 2 do
	local at = #answer
	answer[at + 1], answer[at + 2] = rows[i], rows[i + 1]
	answer[at + 3] = int(number(call('HGET', key('keys_used'), rows[i]), 0))
end
return answer
