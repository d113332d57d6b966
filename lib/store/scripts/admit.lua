-- Lets people in: as many as the rate, the burst and the capacity allow, in order.
--
-- ARGV  owner, lease_ms, limit, life, gap_ms, extra
--       extra: let in so many now, whatever the rate says (an operator's order); 0 for a tick
-- Gives 'ok', now, admitted, set_aside, free, in_line, more
--       more: 1 when the limit of this call ended it and not the rules
--       or 'noqueue', or 'other' when another admitter has the lease
--
-- A queue that drains is let in as its capacity allows, whatever its rate and its opening time: an
-- order, as 'extra' is one.
--
-- First those who came back from absence, by ticket; then the lanes by weight (smooth weighted
-- round robin, credits kept in wr:Q:tokens), each in ticket order: its list, merged with those
-- restored after a loss. Whoever was not heard for absent_after_ms, or never, is set aside and costs no
-- slot; but a newcomer, whose first heartbeat may still be on its way, is not passed: at the start of
-- a rush nobody has polled yet, and all would be set aside. Rules as in lib/core/admission.c, held against this file by tests.
--
-- What was done is looked at once more, by other means than it was decided with: somebody let in who
-- had a session already, more sessions than capacity, a ticket below one that went in before.
--
-- Writes: outbox (admitted) - position hashes - sessions, heartbeats, absent, returned - bitmap -
-- lists - counts and bucket. An admitted letter without its session entry: reap sees it in
-- heartbeats and puts it into sessions. People still in a list who are not waiting are dropped here,
-- and their tickets marked gone once more, in case just the marks were lost. At its end a lane is
-- empty: when its count says otherwise, reap goes through its tickets as through lost ones.
local NOBODY = -9007199254740991 -- a score that is neither a time nor that of a ghost
local NEWCOMER_MS = 3000 -- the first poll is asked for within 2 s of the join (pacing.c)
local cfg = call('HMGET', KEYS[1], 'version', 'state', 'lanes', 'rate_per_minute', 'burst',
	'capacity', 'claim_ttl_ms', 'absent_after_ms', 'opens_at_ms')
if not cfg[1] then return { 'noqueue' } end
local owner, limit, extra = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[6])
if extra == 0 then
	local holder = call('GET', key('lease:admit'))
	if holder and holder ~= owner then return { 'other' } end
	call('SET', key('lease:admit'), owner, 'PX', ARGV[2])
end
local since = patience(ARGV[4], tonumber(ARGV[5]))
local state, lanes = cfg[2], lanes_of(cfg[3])
local absent_after = number(cfg[8], 90000)
local free = number(cfg[6], 0) - call('ZCARD', key('sessions'))
local in_line = 0
for i = 1, #lanes do
	local name = lanes[i].name
	in_line = in_line + number(call('GET', key('ticket:' .. name)), 0)
		- number(call('HGET', key('counts'), 'gone:' .. name), 0)
end

local units = bucket_read(number(cfg[4], 0), number(cfg[5], 1))
local places
if call('HGET', key('counts'), 'rebuild') then
	places = 0
elseif state == 'passthrough' then
	places = limit
elseif extra > 0 then
	places = math.min(extra, free)
elseif state == 'draining' then
	places = free
elseif (state == 'open' or state == 'closed') and now >= number(cfg[9], 0) then
	places = math.min(math.floor(units / 60000), free)
else
	places = 0
end
local wanted = math.max(0, math.min(places, limit))
if wanted == 0 then
	bucket_write(units)
	return { 'ok', int(now), 0, 0, free, in_line, 0 }
end

local taken, aside, looked, seen, departed = {}, {}, 0, {}, {}

-- Has this person only just joined, so that the first heartbeat may still be on its way? A ghost's
-- score is the negative of the time it was made.
local function is_newcomer(score)
	if score >= 0 or -score > now then return false end
	return now - math.max(-score, since) < NEWCOMER_MS
end

-- Was this person there lately?
local present_from = now - absent_after
local function is_present(score)
	return score >= 0 and (score >= present_from or since >= present_from)
end

-- Reads what is known of some ids, in their order. 'lane': where they stand; nil for those who may
-- be of any, and may have been put back by an operator.
local prefix = key('position:')
local function look(ids, lane)
	local people = {}
	if #ids == 0 then return people end
	local scores = call('ZMSCORE', key('heartbeats'), unpack(ids))
	for i = 1, #ids do
		local id = ids[i]
		local hash = prefix .. id
		local p = call('HMGET', hash, 's', 't', 'j', 'a')
		people[i] = { id = id, hash = hash, s = p[1], l = lane, ticket = p[2] or '0',
			t = tonumber(p[2] or 0), j = p[3], a = p[4],
			known = scores[i], score = tonumber(scores[i] or NOBODY) }
		if not lane then
			local more = call('HMGET', hash, 'l', 'n')
			people[i].l, people[i].n = more[1], more[2]
		end
	end
	return people
end

local function take(p, how)
	p.how = how
	taken[#taken + 1] = p
end

-- Those who came back stand before everybody.
local back = {}
while #taken < wanted and looked < limit do
	local count = math.min(wanted - #taken, limit - looked)
	local people = look(call('ZRANGE', key('returned'), int(#back), int(#back + count - 1)))
	for i = 1, #people do
		local p = people[i]
		back[#back + 1] = p.id
		p.returned = true
		seen[p.id] = true
		if p.s == 'w' then
			if is_present(p.score) then take(p, 'returned') else aside[#aside + 1] = p end
		end
	end
	looked = looked + #people
	if #people < count then break end
end

-- A cursor walks one lane: the list from its tail, merged with 'restored' by ticket.
local function refill(c)
	local count = math.floor((wanted - #taken) / #lanes) + 16
	if c.at > #c.people and not c.list_end then
		c.used = c.used + #c.people
		local list = call('LRANGE', c.list, int(-(c.used + count)), int(-(c.used + 1)))
		local ids, last = {}, #list + 1
		for i = 1, #list do ids[i] = list[last - i] end
		c.people, c.at = look(ids, c.lane), 1
		c.list_end = #ids < count
	end
	if c.restored_at > #c.restored and not c.restored_end then
		local from = c.restored_used + #c.restored
		c.restored_used = from
		c.restored = look(call('ZRANGE', c.zset, int(from), int(from + count - 1)))
		c.restored_at = 1
		c.restored_end = #c.restored < count
	end
end

-- The next person of the lane who is waiting and there, or nil; sets aside the absent on the way.
-- A newcomer ends the walk: everybody behind has joined later still.
local function peek(c)
	while not c.next and not c.newcomers and looked < limit do
		refill(c)
		local listed, restored = c.people[c.at], c.restored[c.restored_at]
		if not listed and not restored then
			c.ended = true
			return nil
		end
		local p
		if listed and (listed.s ~= 'w' or not restored or listed.t < restored.t) then
			p = listed
			if p.s == 'w' and not p.a and not seen[p.id] and is_newcomer(p.score) then
				c.newcomers = true
				return nil
			end
			c.at = c.at + 1
		else
			p = restored
			p.restored = true
			c.restored_at = c.restored_at + 1
		end
		looked = looked + 1
		if p.s == 'w' and not p.a and not seen[p.id] then
			if #c.restored > 0 then seen[p.id] = true end -- a place may be in both
			if is_present(p.score) then c.next = p else aside[#aside + 1] = p end
		elseif p.s then
			departs(departed, p.l, p.t)
		end
	end
	return c.next
end

local credits, cursors = {}, {}
for i = 1, #lanes do
	cursors[i] = { lane = lanes[i].name, list = key('waiting:' .. lanes[i].name),
		zset = key('restored:' .. lanes[i].name),
		people = {}, at = 1, used = 0, restored = {}, restored_at = 1, restored_used = 0 }
	credits[i] = 0
end
if #lanes > 1 then
	for i = 1, #lanes do
		credits[i] = number(call('HGET', key('tokens'), 'credit:' .. lanes[i].name), 0)
	end
end
while #taken < wanted do
	local best, sum = nil, 0
	for i = 1, #lanes do
		if peek(cursors[i]) then
			credits[i] = credits[i] + lanes[i].weight
			sum = sum + lanes[i].weight
			if not best or credits[i] > credits[best] then best = i end
		end
	end
	if not best then break end
	credits[best] = credits[best] - sum
	take(cursors[best].next, (extra > 0 or state == 'draining') and 'operator' or (state == 'passthrough' and 'passthrough' or 'line'))
	cursors[best].next = nil
end

-- How many of those who were just let in from a lane's list stood behind somebody who went in from
-- it earlier, in this step or before? Who comes back or was restored is let in late by right.
local function inversions()
	local highest, n = {}, 0
	for i = 1, #taken do
		local p = taken[i]
		if not p.returned and not p.restored then
			local last = highest[p.l]
				or number(call('HGET', key('tokens'), 'let_in:' .. p.l), 0)
			if p.t <= last then n = n + 1 end
			highest[p.l] = math.max(last, p.t)
		end
	end
	for lane, ticket in pairs(highest) do
		call('HSET', key('tokens'), 'let_in:' .. lane, int(ticket))
	end
	return n
end

local lines = {}
for i = 1, #taken do
	local p = taken[i]
	lines[i] = (p.n and named(p.id, p.n) or p.id) .. ' ' .. p.l .. ' ' .. p.ticket .. ' ' .. (p.j or int(now)) .. ' ' .. p.how
end
tell('admitted', epoch_now(), lines)

local deadline, sessions, ids, per_lane = int(now + number(cfg[7], 600000)), {}, {}, {}
for i = 1, #taken do
	local p = taken[i]
	call('HSET', p.hash, 's', 'a')
	sessions[i * 2 - 1] = deadline
	sessions[i * 2] = p.id
	ids[i] = p.id
	per_lane[p.l] = (per_lane[p.l] or 0) + 1
	if not p.returned then departs(departed, p.l, p.t) end
end
local absent = {}
for i = 1, #aside do
	local p = aside[i]
	call('HSET', p.hash, 'a', now_text)
	if p.returned then call('HDEL', p.hash, 'b') else departs(departed, p.l, p.t) end
	-- A place that no set knows (a lost write) starts again as a ghost, so that reap finds it.
	if not p.known then call('ZADD', key('heartbeats'), int(-now), p.id) end
	absent[i * 2 - 1] = p.ticket
	absent[i * 2] = p.id
end
if #taken > 0 then
	violated('double', #taken - call('ZADD', key('sessions'), unpack(sessions)))
	if state ~= 'passthrough' then
		violated('capacity',
			math.min(#taken, call('ZCARD', key('sessions')) - number(cfg[6], 0)))
	end
	violated('inversion', inversions())
	call('ZREM', key('heartbeats'), unpack(ids))
end
if #aside > 0 then call('ZADD', key('absent'), unpack(absent)) end
if #back > 0 then call('ZREM', key('returned'), unpack(back)) end
depart(departed)
for i = 1, #lanes do
	local c = cursors[i]
	-- Somebody seen and not taken stays where they are.
	local used, restored_used = c.used + c.at - 1, c.restored_used + c.restored_at - 1
	if c.next then
		if c.people[c.at - 1] == c.next then used = used - 1 else restored_used = restored_used - 1 end
	end
	if used > 0 then call('LTRIM', c.list, '0', int(-used - 1)) end -- RPOP would hand them all over
	if restored_used > 0 then call('ZREMRANGEBYRANK', c.zset, '0', int(restored_used - 1)) end
	if #lanes > 1 then
		call('HSET', key('tokens'), 'credit:' .. lanes[i].name, int(credits[i]))
	end
end
for i = 1, #lanes do
	local name = lanes[i].name
	local last = cursors[i].ended and call('GET', key('ticket:' .. name))
	local kept = last and call('HMGET', key('counts'), 'gone:' .. name, 'lost:' .. name, 'recover_until')
	if kept and kept[1] ~= last and not kept[2] then
		call('HSET', key('counts'), 'lost:' .. name, '1-' .. last, 'recover_until',
			kept[3] or int(now))
	end
end
for name, n in pairs(per_lane) do
	call('HINCRBY', key('counts'), 'admitted:' .. name, int(n))
end
if extra == 0 and state ~= 'passthrough' and state ~= 'draining' then units = units - #taken * 60000 end
bucket_write(units)
count('admitted', #taken)
return { 'ok', int(now), #taken, #aside, free - #taken, in_line, (looked >= limit or #taken == limit) and 1 or 0 }
