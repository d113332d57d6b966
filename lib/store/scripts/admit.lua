-- Lets people in: as many as the rate, the burst and the capacity allow, in order.
--
-- ARGV  owner, lease_ms, limit, life, gap_ms, extra
--       extra: let in so many now, whatever the rate says (an operator's order); 0 for a tick
-- Gives 'ok', now, admitted, set_aside, free, in_line, more, calm
--       more: 1 when the limit of this call ended it and not the rules
--       calm: 1 when nobody was there whom a later tick could keep waiting: in line, set aside or back
--       or 'noqueue', or 'other' when another admitter has the lease
--
-- A queue that drains is let in as its capacity allows, whatever its rate and its opening time: an
-- order, as 'extra' is one.
--
-- First those who came back from absence, by ticket; then the lanes by weight (smooth weighted
-- round robin, credits kept in wr:Q:tokens), each in ticket order: its list, merged with those
-- restored after a loss. Whoever was not heard for absent_after_ms, or never, is set aside and
-- costs no slot; but a newcomer, whose first heartbeat may still be on its way, is not passed: at
-- the start of a rush nobody has polled yet, and all would be set aside. Rules as in
-- lib/core/admission.c, held against this file by tests.
--
-- What was done is looked at once more, by other means than it was decided with: somebody let in
-- who had a session already, more sessions than capacity, a ticket below one that went in before.
--
-- Writes: outbox (admitted) - position hashes - sessions, heartbeats, absent, returned - bitmap -
-- lists - counts and bucket. An admitted letter without its session entry: reap sees it in
-- heartbeats and puts it into sessions. People still in a list who are not waiting are dropped
-- here, and their tickets marked gone once more, in case just the marks were lost. At its end a
-- lane is empty: when its count says otherwise, reap goes through its tickets as through lost ones.
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
local in_line, counted = 0, { 'rebuild', 'traced' }
for i = 1, #lanes do counted[i + 2] = 'gone:' .. lanes[i].name end
local counts = call('HMGET', key('counts'), unpack(counted))
for i = 1, #lanes do
	in_line = in_line + number(call('GET', key('ticket:' .. lanes[i].name)), 0) - number(counts[i + 2], 0)
end

local function is_calm()
	if in_line > 0 then return 0 end
	local sets = { key('absent'), key('returned') }
	for i = 1, #lanes do sets[i + 2] = key('restored:' .. lanes[i].name) end
	return call('EXISTS', unpack(sets)) == 0 and 1 or 0
end

-- 'traced': somebody whose way is traced has joined since nobody was in line (enqueue).
local traces = some(counts[2])
if traces and in_line == 0 then call('HDEL', key('counts'), 'traced') end

local units = bucket_read(number(cfg[4], 0), number(cfg[5], 1))
local places
if counts[1] then
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
	return { 'ok', int(now), 0, 0, free, in_line, 0, is_calm() }
end

local deadline = int(now + number(cfg[7], 600000))
local order = (extra > 0 or state == 'draining') and 'operator'
	or (state == 'passthrough' and 'passthrough' or 'line')
-- Whoever is let in: ids, their hashes, their lines for the outbox, and deadline and id by turns.
local taken, hashes, lines, sessions, let_in = {}, {}, {}, {}, 0
local absent, aside, ghosts, departed = {}, {}, {}, {}
local looked, met, met_twice = 0, {}, false -- somebody may be met in two places only if this is true

-- What is known of some ids. No table a person, which would be a tenth of the step: as many arrays
-- as there are facts, and the replies as they come. More is read of those who may have been put
-- back by an operator, and of whom the lane is not known.
local HEARTBEATS, POSITION = key('heartbeats'), key('position:')
local function look(ids, rare)
	local people = { ids = ids, hashes = {}, rows = {}, rare = {}, scores = {}, at = 1, count = #ids }
	if #ids == 0 then return people end
	local keys, rows = people.hashes, people.rows
	people.scores = call('ZMSCORE', HEARTBEATS, unpack(ids))
	for i = 1, #ids do
		local hash = POSITION .. ids[i]
		keys[i] = hash
		if traces or rare then -- the mark is gone before those who are absent come back
			rows[i] = call('HMGET', hash, 's', 't', 'j', 'a', 'tp')
		else
			rows[i] = call('HMGET', hash, 's', 't', 'j', 'a')
		end
		if rare then people.rare[i] = call('HMGET', hash, 'l', 'n') end
	end
	return people
end

-- Has this person only just joined, so that the first heartbeat may still be on its way? A ghost's
-- score is the negative of the time it was made.
local function is_newcomer(score)
	if score >= 0 or -score > now then return false end
	return now - math.max(-score, since) < NEWCOMER_MS
end

-- Was this person there lately?
local present_from = now - absent_after
local always_present = since >= present_from
local function is_present(score)
	return score >= present_from or always_present and score >= 0
end

local function take(people, i, lane, how)
	local id, row, rare = people.ids[i], people.rows[i], people.rare[i]
	let_in = let_in + 1
	taken[let_in], hashes[let_in] = id, people.hashes[i]
	sessions[let_in * 2 - 1], sessions[let_in * 2] = deadline, id
	lines[let_in] = (rare and rare[2] and named(id, rare[2]) or id) .. lane.between .. (row[2] or '0')
		.. ' ' .. (row[3] or now_text) .. how
	if row[5] then lines[let_in] = lines[let_in] .. traced(row[5]) end
	lane.let_in = lane.let_in + 1
end

-- Out of the line until they come back; 'returned': they stood at the front.
local function set_aside(id, hash, ticket, score, returned)
	local n = #aside + 1
	aside[n] = { hash = hash, returned = returned }
	absent[n * 2 - 1], absent[n * 2] = ticket or '0', id
	-- A place that no set knows (a lost write) starts again as a ghost, so that reap finds it.
	if not score then ghosts[#ghosts + 1] = id end
end

local by_name = {}
local function lane_called(name)
	local lane = by_name[name]
	if not lane then
		lane = { between = ' ' .. name .. ' ', let_in = 0 }
		by_name[name] = lane
	end
	return lane
end

-- Those who came back stand before everybody.
local back = {}
while let_in < wanted and looked < limit do
	local count = math.min(wanted - let_in, limit - looked)
	local people = look(call('ZRANGE', key('returned'), int(#back), int(#back + count - 1)), true)
	for i = 1, people.count do
		back[#back + 1] = people.ids[i]
		met[people.ids[i]], met_twice = true, true
		if people.rows[i][1] == 'w' then
			if is_present(tonumber(people.scores[i] or NOBODY)) then
				take(people, i, lane_called(people.rare[i][1]), ' returned')
			else
				set_aside(people.ids[i], people.hashes[i], people.rows[i][2], people.scores[i], true)
			end
		end
	end
	looked = looked + people.count
	if people.count < count then break end
end

-- A cursor walks one lane: the list from its tail, merged with 'restored' by ticket.
local function refill(c)
	local count = math.max(16, math.floor((wanted - let_in) / #lanes) + #lanes - 1)
	if c.listed.at > c.listed.count and not c.list_end then
		c.used = c.used + c.listed.count
		local list = call('LRANGE', c.list, int(-(c.used + count)), int(-(c.used + 1)))
		local ids, n = {}, #list
		for i = 1, n do ids[i] = list[n + 1 - i] end
		c.listed, c.list_end = look(ids), n < count
	end
	if c.restored.at > c.restored.count and not c.restored_end then
		local from = c.restored_used + c.restored.count
		c.restored_used = from
		c.restored = look(call('ZRANGE', c.zset, int(from), int(from + count - 1)), true)
		c.restored_end = c.restored.count < count
		if c.restored.count > 0 then met_twice = true end -- a place may be in both
	end
end

-- Finds the next person of the lane who is waiting and there, and says whether there is one; sets
-- aside the absent on the way. A newcomer ends the walk: everybody behind has joined later still.
local function find_next(c)
	while looked < limit do
		local people, restored = c.listed, c.restored
		local i = people.at
		local row, other = people.rows[i], restored.rows[restored.at]
		if not row and not c.list_end or not other and not c.restored_end then
			refill(c)
		elseif not row and not other then
			c.ended = true
			return false
		else
			if other and (not row or row[1] == 'w' and tonumber(row[2] or 0) >= tonumber(other[2] or 0)) then
				people, i, row = restored, restored.at, other
			end
			local score = tonumber(people.scores[i] or NOBODY)
			local waits = row[1] == 'w' and not row[4] and not (met_twice and met[people.ids[i]])
			if waits and score < 0 and people ~= restored and is_newcomer(score) then
				c.newcomers = true
				return false
			end
			people.at = i + 1
			looked = looked + 1
			if waits then
				if met_twice then met[people.ids[i]] = true end
				if score >= present_from or is_present(score) then
					c.next, c.next_at = people, i
					return true
				end
				set_aside(people.ids[i], people.hashes[i], row[2], people.scores[i], false)
			end
			if row[1] then c.gone[#c.gone + 1] = tonumber(row[2] or 0) end
		end
	end
	return false
end

-- Whoever went in from a lane's list behind somebody with a higher ticket, in this step or before.
-- Who comes back or was restored is let in late by right.
local inversions = 0
local function take_next(c)
	local people, i = c.next, c.next_at
	local ticket = tonumber(people.rows[i][2] or 0)
	c.next = nil
	take(people, i, c.facts, c.how)
	local gone = c.gone
	gone[#gone + 1] = ticket
	if people == c.listed then
		c.last_in = c.last_in or number(call('HGET', key('tokens'), 'let_in:' .. c.lane), 0)
		if ticket <= c.last_in then inversions = inversions + 1 else c.last_in = ticket end
	end
end

-- One lane and nobody restored, as in most queues at most times: what find_next and take_next do,
-- person by person, without what they need for merging, which was a quarter of a step. Ends where
-- the limits do, at a newcomer, and at the end of the list.
local ranges = {}
local function departs_range(lane, first, last)
	local n = #ranges
	ranges[n + 1], ranges[n + 2], ranges[n + 3] = lane, first, last
end
local function walk(c)
	local lane, between, how, used = c.lane, c.facts.between, c.how, 0
	local last_in = number(call('HGET', key('tokens'), 'let_in:' .. lane), 0)
	local n, at, first, last = let_in, 0, nil, nil -- tickets first..last leave the line
	local wanted, most = wanted, limit - looked
	local call, taken, hashes, lines, sessions = call, taken, hashes, lines, sessions -- nearer than the script's
	-- Times of as many digits compare as texts, which spares reading a number of each; DragonflyDB
	-- gives numbers.
	local present_text = int(present_from)
	while n < wanted and used < most and not c.list_end and not c.newcomers do
		local count = math.max(16, wanted - n)
		local list = call('LRANGE', c.list, int(-(used + count)), int(-(used + 1)))
		local scores = #list > 0 and call('ZMSCORE', HEARTBEATS, unpack(list))
		local texts = scores and type(scores[#list]) == 'string'
		at, c.list_end = #list, #list < count
		while at > 0 and n < wanted and used < most do
			local id, score, row = list[at], scores[at], nil
			local hash = POSITION .. id
			if traces then
				row = call('HMGET', hash, 's', 't', 'j', 'a', 'tp')
			else
				row = call('HMGET', hash, 's', 't', 'j', 'a')
			end
			local state, ticket_text = row[1], row[2] or '0'
			local ticket = ticket_text + 0 -- a number, with one call less
			if state == 'w' and not row[4] and not (met_twice and met[id]) then
				local heard = texts and score and #score == #present_text and score >= present_text
				if not heard then
					score = tonumber(score or NOBODY)
					heard = score >= present_from or is_present(score)
				end
				if heard then
					n = n + 1
					taken[n], hashes[n] = id, hash
					sessions[n * 2 - 1], sessions[n * 2] = deadline, id
					lines[n] = id .. between .. ticket_text .. ' ' .. (row[3] or now_text) .. how
					if traces and row[5] then lines[n] = lines[n] .. traced(row[5]) end
					if ticket <= last_in then inversions = inversions + 1 else last_in = ticket end
				elseif is_newcomer(score) then
					c.newcomers = true
					break
				else
					set_aside(id, hash, row[2], scores[at], false)
				end
			end
			at, used = at - 1, used + 1
			if last and ticket == last + 1 and last % CHUNK ~= 0 then
				last = ticket
			elseif state then
				if last then departs_range(lane, first, last) end
				first, last = ticket, ticket
			end
		end
	end
	if last then departs_range(lane, first, last) end
	c.facts.let_in, let_in, looked = c.facts.let_in + n - let_in, n, looked + used
	c.used, c.last_in, c.list_end = used, last_in, c.list_end and at == 0
end

local credits, cursors = {}, {}
for i = 1, #lanes do
	local name = lanes[i].name
	departed[name] = {}
	cursors[i] = { lane = name, facts = lane_called(name), how = ' ' .. order, gone = departed[name],
		list = key('waiting:' .. name), zset = key('restored:' .. name),
		listed = look({}), used = 0, restored = look({}), restored_used = 0 }
	credits[i] = 0
end
if #lanes > 1 then
	for i = 1, #lanes do
		credits[i] = number(call('HGET', key('tokens'), 'credit:' .. lanes[i].name), 0)
	end
end
if #lanes == 1 and let_in < wanted and call('EXISTS', cursors[1].zset) == 0 then
	cursors[1].restored_end = true
	walk(cursors[1])
end
-- One lane, and nothing to weigh.
while #lanes == 1 and let_in < wanted and not cursors[1].newcomers and find_next(cursors[1]) do
	take_next(cursors[1])
end
while #lanes > 1 and let_in < wanted do
	local best, sum = nil, 0
	for i = 1, #lanes do
		local c = cursors[i]
		if c.next or not c.newcomers and find_next(c) then
			credits[i] = credits[i] + lanes[i].weight
			sum = sum + lanes[i].weight
			if not best or credits[i] > credits[best] then best = i end
		end
	end
	if not best then break end
	credits[best] = credits[best] - sum
	take_next(cursors[best])
end
tell('admitted', epoch_now(), lines)

for i = 1, let_in do call('HSET', hashes[i], 's', 'a') end
for i = 1, #aside do
	call('HSET', aside[i].hash, 'a', now_text)
	if aside[i].returned then call('HDEL', aside[i].hash, 'b') end
end
for i = 1, #ghosts do call('ZADD', HEARTBEATS, int(-now), ghosts[i]) end
if let_in > 0 then
	violated('double', let_in - call('ZADD', key('sessions'), unpack(sessions)))
	if state ~= 'passthrough' then
		violated('capacity', math.min(let_in, call('ZCARD', key('sessions')) - number(cfg[6], 0)))
	end
	violated('inversion', inversions)
	call('ZREM', HEARTBEATS, unpack(taken))
end
if #aside > 0 then call('ZADD', key('absent'), unpack(absent)) end
if #back > 0 then call('ZREM', key('returned'), unpack(back)) end
depart(departed, ranges)
for i = 1, #lanes do
	local c = cursors[i]
	-- Somebody seen and not taken stays where they are.
	local used, restored_used = c.used + c.listed.at - 1, c.restored_used + c.restored.at - 1
	if c.next and c.next == c.listed then used = used - 1 end
	if c.next and c.next == c.restored then restored_used = restored_used - 1 end
	if used > 0 then call('LTRIM', c.list, '0', int(-used - 1)) end -- RPOP would hand them all over
	if restored_used > 0 then call('ZREMRANGEBYRANK', c.zset, '0', int(restored_used - 1)) end
	if #lanes > 1 then call('HSET', key('tokens'), 'credit:' .. c.lane, int(credits[i])) end
	if c.last_in then call('HSET', key('tokens'), 'let_in:' .. c.lane, int(c.last_in)) end
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
for name, lane in pairs(by_name) do
	if lane.let_in > 0 then call('HINCRBY', key('counts'), 'admitted:' .. name, int(lane.let_in)) end
end
if extra == 0 and state ~= 'passthrough' and state ~= 'draining' then units = units - let_in * 60000 end
bucket_write(units)
count('admitted', let_in)
return { 'ok', int(now), let_in, #aside, free - let_in, in_line, (looked >= limit or let_in == limit) and 1 or 0,
	is_calm() }
