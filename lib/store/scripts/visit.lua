-- Reads places, and lets their visitors take what is theirs.
--
-- ARGV  'poll', 'stay' or 'look', then ids
-- Gives 'ok', now, then per person: state, lane, ticket, joined_ms, ends_ms, front, target,
--       holder, what is unusual: 'emptied', why it ended; '<traceparent> <admitted, ms>' of somebody who
--       is traced and takes up the turn now; else '-'
--       ends_ms: end of the session (claimed), or of the time to take up the turn (admitted)
--       front: 1 when the place stands before the line (set aside or back from absence)
--       state '-' when the store knows nothing of the id; or 'noqueue'
--
-- 'look' changes nothing. A 'poll' of somebody set aside brings them back to the front; a poll of
-- somebody admitted claims the session: its time starts now. Repeating either changes nothing more.
-- A 'stay' is a poll that does not claim: a page that nobody looks at keeps the turn for its visitor.
--
-- A session of the time before an operator put the place back may have been ended early. The pods, which
-- refuse it by its place, are told that the new one is good.
--
-- Writes: outbox (claimed) - revocations - position hashes - sets - bitmap. With only the hash claimed the next
-- poll answers the same session, and reap gives it its end in the set. Heartbeats are written last
-- wherever a place is made, so a waiting place without one was not made whole: it is put back into
-- line by its ticket. An admitted one is marked gone once more, in case the mark was lost.
local cfg = call('HMGET', KEYS[1], 'version', 'session_ttl_ms', 'claim_ttl_ms')
if not cfg[1] then return { 'noqueue' } end
local ends = now + number(cfg[2], 900000)
local poll, takes = ARGV[1] ~= 'look', ARGV[1] == 'poll'
local answer, claimed, claims, back, mine = { 'ok', int(now) }, {}, {}, {}, {}
local departed, pardoned = {}, {}
for i = 2, #ARGV do
	local id = ARGV[i]
	local p = call('HMGET', position_key(id), 's', 'l', 't', 'j', 'e', 'a', 'b', 'g', 'h', 'n', 'x',
		'tp')
	local state, session_end, said = p[1] or '-', number(p[5], 0), string.match(p[11] or '', ' (emptied)$')
	if state == 'a' then
		local turn_ends = call('ZSCORE', key('sessions'), id)
		session_end = number(turn_ends, 0)
		if takes then
			state = 'c'
			session_end = ends
		end
		if takes and not mine[id] then
			mine[id] = true
			claimed[#claimed + 1] = named(id, p[10]) .. ' ' .. p[2] .. ' ' .. p[3] .. ' ' .. int(ends)
				.. traced(p[12])
			local let_in = let_in_at(turn_ends, number(cfg[3], 600000))
			if p[12] then said = p[12] .. ' ' .. let_in end
			claims[#claims + 1] = { id = id, i = let_in }
			if p[10] then pardoned[#pardoned + 1] = 'p ' .. id .. ' 1' end
			departs(departed, p[2], tonumber(p[3]))
		end
	elseif state == 'w' and poll then
		back[#back + 1] = { id = id, lane = p[2], ticket = p[3], aside = p[6],
			front = p[6] or p[7] }
	end
	local n = #answer
	answer[n + 1] = state
	answer[n + 2] = p[2] or ''
	answer[n + 3] = number(p[3], 0)
	answer[n + 4] = number(p[4], 0)
	answer[n + 5] = session_end
	answer[n + 6] = (p[6] or p[7]) and 1 or 0
	answer[n + 7] = p[8] or ''
	answer[n + 8] = number(p[9], 0)
	answer[n + 9] = said or '-'
end

tell('claimed', epoch_now(), claimed)
tell_revoked(pardoned, math.floor(ends / 1000))
for i = 1, #claims do
	call('HSET', position_key(claims[i].id), 's', 'c', 'e', int(ends), 'c', now_text, 'i', claims[i].i)
	call('ZADD', key('sessions'), int(ends), claims[i].id)
end
for i = 1, #back do
	local p = back[i]
	if p.aside then
		call('HSET', position_key(p.id), 'b', '1')
		call('HDEL', position_key(p.id), 'a')
		if not mine[p.id] then remember(p.id, 'a' .. p.aside .. ' b' .. int(now)) end
		mine[p.id] = true
	end
	if p.front then
		call('ZADD', key('returned'), p.ticket, p.id)
		call('ZREM', key('absent'), p.id)
	end
	if call('ZADD', key('heartbeats'), int(now), p.id) == 1 and not p.front then
		raise_ticket(p.lane, tonumber(p.ticket))
		call('ZADD', key('restored:' .. p.lane), p.ticket, p.id)
	end
end
depart(departed)
return answer
