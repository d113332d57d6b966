-- Ends what has run out: silent places, ghosts, turns not taken up, sessions.
--
-- ARGV  life, gap_ms, limit
-- Gives 'ok', now, expired, missed, ended, more;  or 'noqueue'
--       more: 1 when the limit ended the call
--
-- Nobody pays for our outages: 'since' is the moment when listening resumed, and no patience runs
-- out before it has had its full time from there (amnesty). Sessions end when their token does;
-- those that slide a little later, because the pods may have renewals to tell.
-- Every score is looked at inside this step, so a heartbeat that came in between wins. After a
-- recovery window the lost tickets that nobody claimed are marked gone, one stretch a call.
--
-- Writes: outbox (missed, session-expired, expired) - position hashes - sets, heartbeats last -
-- bitmap and counts. A hash that is ahead of its sets is met here again, in sessions or in
-- heartbeats, and taken out of them.
local cfg = call('HMGET', KEYS[1], 'version', 'heartbeat_ttl_ms', 'first_heartbeat_ms',
	'claim_ttl_ms', 'ended_keep_ms', 'lanes', 'session_renewal', 'poll_max_ms')
if not cfg[1] then return { 'noqueue' } end
local limit = tonumber(ARGV[3])
local since = patience(ARGV[1], tonumber(ARGV[2]))
local ttl, first = number(cfg[2], 300000), number(cfg[3], 30000)
local claim_ttl, keep = number(cfg[4], 600000), int(number(cfg[5], 3600000))
local told_until = cfg[7] == '1' and since + 10000 or 0 -- pods are back within two seconds
local missed, ended, expired, finished, departed = {}, {}, {}, {}, {}
local sessions_out, later, repaired, dated = {}, {}, {}, {}
local silenced = {} -- { ids, hashes and number of those who end, why } of each kind of silence
local restored, prefix = {}, key('position:')

-- Hash, state, why and let_in of whoever ends, one after the other: a table a person costs more.
local function ends_as(hash, state, why, let_in)
	local n = #finished
	finished[n + 1], finished[n + 2], finished[n + 3], finished[n + 4] = hash, state, why, let_in or false
end

-- Those of a lane who were restored stand in one more set; most of the time there is none, and
-- false.
local function restored_of(lane)
	local ids = restored[lane]
	if ids == nil then
		ids = call('EXISTS', key('restored:' .. lane)) == 1 and {}
		restored[lane] = ids
	end
	return ids
end

local due = call('ZRANGEBYSCORE', key('sessions'), '-inf', int(now), 'WITHSCORES', 'LIMIT', '0',
	int(limit))
for i = 1, #due, 2 do
	local id = due[i]
	local hash = prefix .. id
	local p = call('HMGET', hash, 's', 'l', 't', 'e', 'n', 'i')
	local who = p[1] and named(id, p[5]) .. ' ' .. p[2] .. ' ' .. p[3]
	local ends = math.max(number(p[4], 0), told_until)
	if p[1] == 'a' and since + claim_ttl > now then
		later[#later + 1] = int(since + claim_ttl)
		later[#later + 1] = id
		if not p[6] then dated[#dated + 1] = { id = id, i = let_in_at(due[i + 1], claim_ttl) } end
	elseif p[1] == 'c' and ends > now then
		later[#later + 1] = int(ends)
		later[#later + 1] = id
	else
		sessions_out[#sessions_out + 1] = id
		if p[1] == 'a' then
			missed[#missed + 1] = who
			departs(departed, p[2], tonumber(p[3]))
			ends_as(hash, 'm', 'missed', p[6] or let_in_at(due[i + 1], claim_ttl))
		elseif p[1] == 'c' then
			ended[#ended + 1] = who
			ends_as(hash, 'e', 'session')
		end
	end
end

-- Hundreds of people a call: what is rare is asked for when it is met, and lengths are counted
-- here, where Lua would search for them.
local function expire(ids, reason)
	local hashes, n, said = {}, 0, ' ' .. reason
	local told = #expired
	local call, prefix = call, prefix
	local last_lane, between, also, tickets, left = nil, nil, nil, nil, 0 -- of the lane of the one before
	for i = 1, #ids do
		local id = ids[i]
		local hash = prefix .. id
		local p = call('HMGET', hash, 's', 'l', 't', 'n')
		local state, lane, ticket = p[1], p[2], p[3]
		if state == 'w' then
			if lane ~= last_lane then
				last_lane, between, also = lane, ' ' .. lane .. ' ', restored_of(lane)
				tickets = departed[lane] or {}
				departed[lane], left = tickets, #tickets
			end
			n, left = n + 1, left + 1
			hashes[n] = hash
			expired[told + n] = (p[4] and named(id, p[4]) or id) .. between .. ticket .. said
			if also then also[#also + 1] = id end
			tickets[left] = ticket + 0 -- a number, with one call less
		elseif state == 'a' or state == 'c' then
			-- Admitted, but the store lost the rest of that step: give it its slot's end.
			repaired[#repaired + 1] = int(state == 'c' and number(call('HGET', hash, 'e'), now)
				or now + claim_ttl)
			repaired[#repaired + 1] = id
		end -- others have ended, but the store lost the rest of that step
	end
	if #ids > 0 then
		silenced[#silenced + 1] = { ids = ids, hashes = hashes, n = n, why = reason }
	end
end
if now - since > ttl then
	expire(call('ZRANGEBYSCORE', key('heartbeats'), '0', int(now - ttl), 'LIMIT', '0',
		int(limit)), 'silent')
end
-- A ghost's score is the negative of the time it was made.
if now - since > first then
	expire(call('ZRANGEBYSCORE', key('heartbeats'), int(first - now), '-1', 'LIMIT', '0',
		int(limit)), 'ghost')
end

local epoch = epoch_now()
tell('missed', epoch, missed)
tell('session-expired', epoch, ended)
tell('expired', epoch, expired)
for i = 1, #dated do call('HSET', position_key(dated[i].id), 'i', dated[i].i) end
for i = 1, #finished, 4 do
	finish(finished[i], finished[i + 1], keep, finished[i + 2], finished[i + 3])
end
for i = 1, #silenced do
	local hashes, ended = silenced[i].hashes, now_text .. ' ' .. silenced[i].why
	for k = 1, silenced[i].n do -- as finish does
		call('HSET', hashes[k], 's', 'x', 'x', ended)
		call('PEXPIRE', hashes[k], keep)
	end
end
if #sessions_out > 0 then call('ZREM', key('sessions'), unpack(sessions_out)) end
if #later > 0 then call('ZADD', key('sessions'), 'XX', unpack(later)) end
if #repaired > 0 then call('ZADD', key('sessions'), 'NX', unpack(repaired)) end
-- Who was set aside or stood at the front is found in the set: asking each costs more.
for _, name in ipairs({ 'absent', 'returned' }) do
	if call('EXISTS', key(name)) == 1 then
		for i = 1, #silenced do call('ZREM', key(name), unpack(silenced[i].ids)) end
	end
end
for lane, ids in pairs(restored) do
	if ids then call('ZREM', key('restored:' .. lane), unpack(ids)) end
end
local looked = 0
for i = 1, #silenced do
	call('ZREM', key('heartbeats'), unpack(silenced[i].ids))
	looked = looked + #silenced[i].ids
end
depart(departed)
forget_revocations()

-- How many tickets of a lane the bitmap says are gone: what the count should say.
local function marked(lane)
	local last, n = number(call('GET', key('ticket:' .. lane)), 0), 0
	for chunk = 0, math.floor(last / CHUNK) do
		n = n + call('BITCOUNT', key('gone:' .. lane .. ':' .. int(chunk)))
	end
	return n
end

-- The end of a recovery window: whoever of the lost tickets has not come back is not in line.
local more = (#due == 2 * limit or looked >= limit) and 1 or 0
local recovery = call('HMGET', key('counts'), 'recover_until', 'rebuild')
local until_ms = number(recovery[1], 0)
-- After a total loss the pods may come later than the queue: nobody can report while nobody
-- listens.
if recovery[2] then until_ms = math.max(until_ms, since + 3 * number(cfg[8], 30000)) end
if recovery[1] and now >= until_ms then
	local lanes, stretch, open = lanes_of(cfg[6]), 4096, false
	for i = 1, #lanes do
		local name = lanes[i].name
		local lost = call('HGET', key('counts'), 'lost:' .. name)
		if lost and not open then
			local first, final, rest = string.match(lost, '^(%d+)%-(%d+),?(.*)$')
			local from, last = tonumber(first), tonumber(final)
			local to = math.min(last, from + stretch - 1, (math.floor((from - 1) / CHUNK) + 1) * CHUNK)
			local kept = call('ZRANGEBYSCORE', key('restored:' .. name), int(from), int(to),
				'WITHSCORES')
			local ranges, at = {}, from
			kept[#kept + 1], kept[#kept + 2] = '', to + 1
			for k = 2, #kept, 2 do
				local ticket, n = number(kept[k], at), #ranges
				if ticket > at then ranges[n + 1], ranges[n + 2], ranges[n + 3] = name, at, ticket - 1 end
				at = ticket + 1
			end
			depart_ranges(ranges)
			if to < last then
				call('HSET', key('counts'), 'lost:' .. name,
					int(to + 1) .. '-' .. final .. (rest == '' and '' or ',' .. rest))
			elseif rest ~= '' then
				call('HSET', key('counts'), 'lost:' .. name, rest)
			else
				call('HSET', key('counts'), 'gone:' .. name, int(marked(name)))
				call('HDEL', key('counts'), 'lost:' .. name)
			end
			open = true
		end
	end
	if open then more = 1 else call('HDEL', key('counts'), 'recover_until', 'rebuild') end
end
count('expired', #expired)
count('missed', #missed)
return { 'ok', int(now), #expired, #missed, #ended, more }
