-- Reads places, and lets their visitors take what is theirs.
--
-- ARGV  'poll', 'stay' or 'look', then ids
-- Gives 'ok', now, then per person: state, lane, ticket, joined_ms, ends_ms, position, target,
--       holder, what is unusual: 'emptied', why it ended; '<traceparent> <admitted, ms>' of somebody who
--       is traced and takes up the turn now; else '-'
--       ends_ms: end of the session (claimed), or of the time to take up the turn (admitted)
--       position: of who waits, 1 also before the line (set aside or back from absence); 0: not known
--       state '-' when the store knows nothing of the id; or 'noqueue'
--
-- 'look' changes nothing. A 'poll' of somebody set aside brings them back to the front; a poll of
-- somebody admitted claims the session: its time starts now. Repeating either changes nothing more.
-- A 'stay' is a poll that does not claim: a page that nobody looks at keeps the turn for its
-- visitor.
--
-- A session of the time before an operator put the place back may have been ended early. The pods,
-- which refuse it by its place, are told that the new one is good.
--
-- Writes: outbox (claimed) - revocations - position hashes - sets - bitmap. With only the hash
-- claimed the next poll answers the same session, and reap gives it its end in the set. Heartbeats
-- are written last wherever a place is made, so a waiting place without one was not made whole: it
-- is put back into line by its ticket. An admitted one is marked gone once more, in case the mark
-- was lost.
local cfg = call('HMGET', KEYS[1], 'version', 'session_ttl_ms', 'claim_ttl_ms')
if not cfg[1] then return { 'noqueue' } end
local ends = now + number(cfg[2], 900000)
local poll, takes = ARGV[1] ~= 'look', ARGV[1] == 'poll'
local answer, claimed, claims, back, mine = { 'ok', int(now) }, {}, {}, {}, {}
local departed, pardoned = {}, {}

-- Where somebody stands whom the pods' pictures do not have yet: all tickets before theirs, less
-- those of them that have left. The count knows how many have left in all, the bitmap how many of
-- these are not before. Only of the last two chunks; a pod knows who came that long ago. While the
-- line is made again after a total loss the bitmap says nothing.
local lines = {}
local function position_in_line(lane, ticket)
	local line = lines[lane]
	if not line then
		local counts = call('HMGET', key('counts'), 'gone:' .. lane, 'rebuild')
		line = { last = number(call('GET', key('ticket:' .. lane)), 0), gone = number(counts[1], 0),
			rebuild = some(counts[2]) }
		lines[lane] = line
	end
	local chunk = math.floor((ticket - 1) / CHUNK)
	if line.rebuild then return 0 end
	local newest = math.floor((math.max(line.last, ticket) - 1) / CHUNK)
	if newest - chunk > 1 then return 0 end
	local behind = call('BITCOUNT', key('gone:' .. lane .. ':' .. int(chunk)),
		int(ticket - 1 - chunk * CHUNK), int(CHUNK - 1), 'BIT')
	if newest > chunk then
		behind = behind + call('BITCOUNT', key('gone:' .. lane .. ':' .. int(newest)))
	end
	return ticket - line.gone + behind
end

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
	local position = 0
	if state == 'w' then
		position = (p[6] or p[7]) and 1 or position_in_line(p[2], tonumber(p[3]))
	end
	local n = #answer
	answer[n + 1] = state
	answer[n + 2] = p[2] or ''
	answer[n + 3] = number(p[3], 0)
	answer[n + 4] = number(p[4], 0)
	answer[n + 5] = session_end
	answer[n + 6] = position
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
