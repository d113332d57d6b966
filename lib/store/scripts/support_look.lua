-- Everything that is kept of some places, for whoever helps a visitor.
--
-- ARGV  'id' or 'person', then ids
--       person: the id stands for a person (enqueue.lua, papers i); the place may have another one
-- Gives 'ok', now, epoch, then of each place that something is kept of: id, state, lane, ticket,
-- joined, session
--       end, holder, set aside, front, let in, claimed, ended, put back, notes (fields j e h a b i c x n
--       k of the position), last heartbeat, end of its slot, how long it is still kept (ms);
--       '' where there is nothing;  or 'noqueue'
--
-- Reads only.
local cfg = call('HMGET', KEYS[1], 'version', 'claim_ttl_ms')
if not cfg[1] then return { 'noqueue' } end
local answer = { 'ok', int(now), epoch_now() }
local function show(id)
	local p = call('HMGET', position_key(id), 's', 'l', 't', 'j', 'e', 'h', 'a', 'b', 'i', 'c', 'x',
		'n', 'k')
	if not p[1] then return end
	local heard = call('ZSCORE', key('heartbeats'), id)
	local ends = call('ZSCORE', key('sessions'), id)
	if p[1] == 'a' and ends and not p[9] then p[9] = let_in_at(ends, number(cfg[2], 600000)) end
	answer[#answer + 1] = id
	for i = 1, 13 do answer[#answer + 1] = some(p[i]) or '' end
	local kept = call('PTTL', position_key(id))
	answer[#answer + 1] = heard and int(number(heard, 0)) or ''
	answer[#answer + 1] = ends and int(number(ends, 0)) or ''
	answer[#answer + 1] = kept > 0 and int(kept) or ''
end
for i = 2, #ARGV do
	show(ARGV[i])
	local other = ARGV[1] == 'person' and some(call('GET', key('person:' .. ARGV[i])))
	if other and other ~= ARGV[i] then show(other) end
end
return answer
