-- Takes the one-time passes with which people come to the site, each once.
--
-- ARGV  how long a used pass is remembered, ms (longer than any pass is good); then per person: pass id, position id
-- Gives 'ok', now, then per person: code, ends_ms;  or 'noqueue'
--       code: ok | used | ended     ends_ms: end of the session, 0 when there is none
--
-- The session must be active here and now; so a pass is spent only where it buys something. Whoever
-- is told 'used' because the first answer was lost, or 'ended' because the store lost the claim,
-- goes by the waiting room and gets another pass there, without waiting.
--
-- Writes: one key a pass, nothing depends on another.
if call('EXISTS', KEYS[1]) == 0 then return { 'noqueue' } end
local answer = { 'ok', int(now) }
for i = 2, #ARGV, 2 do
	local p = call('HMGET', position_key(ARGV[i + 1]), 's', 'e')
	local ends, code = number(p[2], 0), 'ended'
	if p[1] == 'c' and ends > now then
		code = call('SET', key('pass:' .. ARGV[i]), '1', 'NX', 'PX', ARGV[1]) and 'ok' or 'used'
	else
		ends = 0
	end
	answer[#answer + 1] = code
	answer[#answer + 1] = ends
end
return answer
