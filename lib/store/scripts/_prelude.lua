-- Put in front of every script. KEYS[1] is always wr:{tenant/queue}:settings; every other key is
-- built from its tag, so that one queue is one shard and one script is one hop.
--
-- The common subset of Lua 5.1 (Redis, Valkey) and 5.4 (DragonflyDB): integers only, %d for every
-- number that becomes text, no shebang line, TIME in milliseconds that may stand still.
--
-- Fields of wr:Q:position:<id>, short because there may be millions:
--   s  state letter (state.h)     l  lane            t  ticket
--   j  joined, ms                 g  target          u  opaque user data
--   r  hash of the join request   a  when it was set aside, ms; there: it is
--   e  session end, ms            b  1: came back, stands at the front
--   h  holder: tokens with a lower one have moved
--   tp traceparent of the join, of the few that are traced (cmd/api/tracing.c)
-- and of what has happened to it, for support (lib/core/timeline.c), which a place in line does
-- not have:
--   i  let in, ms (let_in_at)            c  claimed, ms     x  ended: "<ms> <why>"
--   n  how often an operator put it back; its events are told of as "<id>~<n>"
--   k  what is rare, the last 16: "<letter><ms>[:<more>] …" (remember)
--
-- Writing order everywhere: outbox first, then positions, then the sets and lists, the bitmap and
-- the counts last. A promoted DragonflyDB replica may hold any prefix of that. An event without its
-- change is made again under the same event id; a state letter that is ahead of the sets is
-- repaired by whichever script meets it next (admit drops it from the line, reap moves it).

local call = redis.call
local Q = string.match(KEYS[1], '^(wr:{[^{}]+}:)settings$')
local CHUNK = 131072
local BIT = { [0] = 128, 64, 32, 16, 8, 4, 2, 1 } -- of a byte of the bitmap, as SETBIT counts
local STATS_KEEP_MS = 7200000 -- an hour is shown, and the minutes of it that have begun
local REVOCATIONS_KEEP_MS = 180000000 -- longer than any token that they speak of
local clock = call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local format = string.format
local function int(n) return format('%d', n) end
local now_text = int(now)
local function key(name) return Q .. name end
local function position_key(id) return Q .. 'position:' .. id end
-- DragonflyDB answers scores as floats: floor makes them integers again.
local function number(text, default) return math.floor(tonumber(text or default) or default) end

-- The value of a hash field or string that may be missing; nil in place of false.
local function some(value) if value then return value end return nil end

local function epoch_now() return some(call('GET', key('epoch'))) or '' end

-- Does what was signed in a life of the queue still count? now: the epoch of this life; lost: those
-- of the lives that total losses have ended, with commas between, or nil.
local function epoch_counts(epoch, now_epoch, lost)
	return epoch == now_epoch
		or epoch ~= '' and string.find(',' .. (lost or '') .. ',', ',' .. epoch .. ',', 1, true) ~= nil
end

-- Frozen for a recovery window in which visitors report their places.
local function begin_rebuilding(poll_max)
	call('HSET', key('counts'), 'rebuild', '1', 'revived', now_text, 'recover_until', int(now + 3 * poll_max))
end

-- Somebody knows lives of this queue: a pod that has seen them, or a token. Adds those that it does
-- not know yet, and says whether they are of this queue at all: when it knows one of them, or was
-- made where nothing was, not long ago. A queue that was deleted leaves a tombstone, so that one
-- was lost, and is revived now.
local LIVES_MAX = 8 -- LOST_EPOCHS_MAX
local MADE_LATELY_MS = 600000
local function add_lives(lives)
	local kept, epoch = call('HMGET', key('counts'), 'lost_epochs', 'from_nothing'), epoch_now()
	local lost, all, is_known, news = kept[1] or '', {}, false, false
	for life in string.gmatch(lost, '[^,]+') do all[#all + 1] = life end
	for i = 1, #lives do
		if epoch_counts(lives[i], epoch, lost) then
			is_known = true
		elseif lives[i] ~= '' then
			all[#all + 1], news = lives[i], true
		end
	end
	local is_made_lately = kept[2] and math.abs(now - number(kept[2], 0)) < MADE_LATELY_MS
	if not is_known and not is_made_lately then return false end
	while #all > LIVES_MAX do all[#all] = nil end
	if news then call('HSET', key('counts'), 'lost_epochs', table.concat(all, ',')) end
	if news and is_made_lately and lost == '' then
		begin_rebuilding(number(call('HGET', KEYS[1], 'poll_max_ms'), 30000))
	end
	return true
end

-- "main:1:open,vip:3:signed" -> { {name=, weight=, open=}, … }
local function lanes_of(text)
	local lanes = {}
	for name, weight, entry in string.gmatch(text or '', '([%w%-]+):(%d+):(%a+)') do
		lanes[#lanes + 1] = { name = name, weight = tonumber(weight), open = entry == 'open' }
	end
	return lanes
end

-- The last column of somebody whose way is traced.
local function traced(parent) return parent and ' tp=' .. parent or '' end

-- lines: "id lane ticket[ extra]", one a person; outbox.h has the columns.
local function tell(kind, epoch, lines)
	if #lines > 0 then
		call('XADD', key('outbox'), '*', 'type', kind, 'at', int(now), 'epoch', epoch,
			'people', table.concat(lines, '\n'))
	end
end

-- What an operator has done, in the step that does it. entry: what cmd/api/admin_audit.c has made,
-- a JSON object without the time; nil or '': nobody's doing. keep: about so many entries stay.
-- before: in place of the entry's "before":null, where only the step knows it (quotes in texts are
-- escaped: it is found nowhere else).
local function audit(entry, keep, before)
	if (entry or '') == '' then return end
	if before then
		local from, to = string.find(entry, '"before":null', 1, true)
		if from then
			entry = string.sub(entry, 1, from - 1) .. '"before":' .. before .. string.sub(entry, to + 1)
		end
	end
	local told = '{"at_ms":' .. int(now) .. ',' .. string.sub(entry, 2)
	call('XADD', key('outbox'), '*', 'type', 'audit', 'at', int(now), 'epoch', epoch_now(), 'data', told)
	call('XADD', key('audit'), 'MAXLEN', '~', keep, '*', 'e', told)
	call('PERSIST', key('audit'))
end

-- The state of a place as JSON for the audit, in the words of people; state.h has the letters.
local function state_before(letter)
	local words = { w = 'waiting', a = 'admitted', c = 'claimed', e = 'ended', l = 'left', x = 'expired', m = 'missed' }
	return '{"state":"' .. (words[letter] or 'none') .. '"}'
end

-- Marks the tickets first..last of one chunk as gone; returns how many were still in line.
local function mark_gone(lane, first, last)
	local chunk = math.floor((first - 1) / CHUNK)
	local bits = key('gone:' .. lane .. ':' .. int(chunk))
	local from, to = first - 1 - chunk * CHUNK, last - 1 - chunk * CHUNK
	local fresh = 0
	while from <= to do
		local byte = math.floor(from / 8)
		local whole = math.floor((to + 1) / 8) - byte
		if from % 8 == 0 and whole >= 2 then
			fresh = fresh + whole * 8 - call('BITCOUNT', bits, int(byte), int(byte + whole - 1))
			call('SETRANGE', bits, int(byte), string.rep('\255', whole))
			from = from + whole * 8
		else
			fresh = fresh + 1 - call('SETBIT', bits, int(from), '1')
			from = from + 1
		end
	end
	return fresh
end

-- The same for many short ranges close together, ranges[from], … ranges[to] (depart_ranges): their
-- part of the bitmap is read and written as a whole, because each SETBIT costs as much as ten
-- tickets here. fresh: fills, at the place of each range, how many of it were still in line.
local function mark_gone_together(ranges, from, to, fresh)
	local chunk = math.floor((ranges[from + 1] - 1) / CHUNK)
	local bits = key('gone:' .. ranges[from] .. ':' .. int(chunk))
	local byte = math.floor((ranges[from + 1] - 1 - chunk * CHUNK) / 8)
	local origin = chunk * CHUNK + byte * 8 + 1 -- the first ticket of the part
	local count = math.floor((ranges[to + 2] - origin) / 8) + 1
	local part, bytes = call('GETRANGE', bits, int(byte), int(byte + count - 1)), {}
	for i = 1, count do bytes[i] = string.byte(part, i) or 0 end
	for i = from, to, 3 do
		local n = 0
		for bit = ranges[i + 1] - origin, ranges[i + 2] - origin do
			local low = bit % 8
			local at, value = (bit - low) / 8 + 1, BIT[low]
			if bytes[at] % (value * 2) < value then
				bytes[at] = bytes[at] + value
				n = n + 1
			end
		end
		fresh[i] = n
	end
	call('SETRANGE', bits, int(byte), string.char(unpack(bytes)))
end

-- Ranges of tickets leave the line: { lane, first, last, lane, first, last, … }, none over the end
-- of a chunk. Bitmap, count, and a compact entry for the pods' indexes. What had left before is
-- neither counted nor told again.
local function depart_ranges(ranges)
	local told, all, i = {}, {}, 1
	while i <= #ranges do
		local lane, first, last, fresh = ranges[i], ranges[i + 1], ranges[i + 2], {}
		local chunk, to = math.floor((first - 1) / CHUNK), i
		local tickets = last - first + 1
		local calls = math.min(tickets, 16) -- as mark_gone would make
		while ranges[to + 3] == lane and ranges[to + 4] > last and ranges[to + 4] < last + 32
			and math.floor((ranges[to + 4] - 1) / CHUNK) == chunk do
			to, last = to + 3, ranges[to + 5]
			local more = last - ranges[to + 1] + 1
			tickets, calls = tickets + more, calls + math.min(more, 16)
		end
		if calls > 2 + tickets / 10 and to > i then
			mark_gone_together(ranges, i, to, fresh)
		else
			to = i
			fresh[i] = mark_gone(lane, first, ranges[i + 2])
		end
		for k = i, to, 3 do
			all[lane] = (all[lane] or 0) + fresh[k]
			if fresh[k] > 0 then told[#told + 1] = lane .. ':' .. int(ranges[k + 1]) .. '-' .. int(ranges[k + 2]) end
		end
		i = to + 3
	end
	for lane, n in pairs(all) do
		if n > 0 then call('HINCRBY', key('counts'), 'gone:' .. lane, int(n)) end
	end
	if #told > 0 then
		call('XADD', key('departures'), 'MINID', '~', int(now - 60000), '*', 'd',
			table.concat(told, ','))
	end
end

-- Tickets in order: those that lie close together, as of people who joined in the same millisecond,
-- by ticking off their numbers, which is a fifth of sorting.
local function in_order(tickets)
	local count, first, last, ordered = #tickets, tickets[1], tickets[1], true
	for i = 2, count do
		local ticket = tickets[i]
		if ticket < tickets[i - 1] then ordered = false end
		if ticket < first then first = ticket end
		if ticket > last then last = ticket end
	end
	if ordered then return tickets end -- admission comes in order
	if last - first >= 4 * count then
		table.sort(tickets)
		return tickets
	end
	local there, sorted, n = {}, {}, 0
	for i = 1, last - first + 1 do there[i] = false end
	for i = 1, count do there[tickets[i] - first + 1] = true end
	for i = 1, last - first + 1 do
		if there[i] then
			n = n + 1
			sorted[n] = first + i - 1
		end
	end
	return sorted
end

-- People leave the line: departed[lane] = { ticket, … }. ranges: more of them, or nil.
local function depart(departed, ranges)
	ranges = ranges or {}
	for lane, tickets in pairs(departed) do
		tickets = in_order(tickets)
		local i, count = 1, #tickets
		while i <= count do
			local first, last = tickets[i], tickets[i]
			while i < count and tickets[i + 1] <= last + 1 and last % CHUNK ~= 0 do
				i = i + 1
				last = tickets[i]
			end
			local n = #ranges
			ranges[n + 1], ranges[n + 2], ranges[n + 3] = lane, first, last
			i = i + 1
		end
	end
	depart_ranges(ranges)
end

-- What must never be, seen after a step: counted in the store, shown by sync, exported by every
-- pod.
local function violated(kind, n)
	if n > 0 then call('HINCRBY', key('counts'), 'violated:' .. kind, int(n)) end
end

-- The operators' figures of this minute: joined, admitted, expired, missed, left. One command a
-- kind and step, however many people it moved. Written last: a lost figure is nobody's loss.
local function count(kind, n)
	if n == 0 then return end
	local minute = key('stats:' .. int(math.floor(now / 60000)))
	if call('HINCRBY', minute, kind, int(n)) == n then call('PEXPIRE', minute, int(STATS_KEEP_MS)) end
end

local function departs(departed, lane, ticket)
	local tickets = departed[lane]
	if not tickets then
		tickets = {}
		departed[lane] = tickets
	end
	tickets[#tickets + 1] = ticket
end

-- Tokens that are still good say something that has ended: sessions = { 's <id> <until, s>', … }.
-- The pods read the stream as they read the departures; until_s is when the last of them expires.
-- Whoever adds takes two away that nobody needs any more: those of moved places ('m') are trimmed
-- by their age, and may hold up the others for that long.
local function forget_revocations()
	local old = call('XRANGE', key('revocations'), '-', '+', 'COUNT', '2')
	for i = 1, #old do
		local fields, made = old[i][2], tonumber(string.match(old[i][1], '^%d+'))
		if tonumber(fields[4] or math.floor((made + REVOCATIONS_KEEP_MS) / 1000)) * 1000 >= now then break end
		call('XDEL', key('revocations'), old[i][1])
	end
end
local function tell_revoked(sessions, until_s)
	if #sessions == 0 then return end
	call('XADD', key('revocations'), '*', 'r', table.concat(sessions, ','), 'u', int(until_s))
	forget_revocations()
end

-- Ends a place: its hash is remembered for 'keep' ms (a text), to answer late polls and repeated
-- joins. let_in: of somebody who never took the turn up (let_in_at), else nil.
local ended_texts = {}
local function finish(hash, state, keep, why, let_in)
	local ended = ended_texts[why]
	if not ended then
		ended = now_text .. ' ' .. why
		ended_texts[why] = ended
	end
	if let_in then
		call('HSET', hash, 's', state, 'x', ended, 'i', let_in)
	else
		call('HSET', hash, 's', state, 'x', ended)
	end
	call('PEXPIRE', hash, keep)
end

-- When somebody was let in: at the end of their time to take the turn up, less that time. Kept when
-- that score goes away; a field written at admission would cost it a thirtieth of its speed.
local function let_in_at(ends, claim_ttl) return int(number(ends, now + claim_ttl) - claim_ttl) end

-- The id as events name it: what can happen again to a place that was put back is another event.
local function named(id, n) return n and id .. '~' .. n or id end

-- Adds what is rare to a place's notes. g: not heard for :ms; a: set aside; b: came back;
-- m: taken over; r: put back :why; i, c, x: of an earlier time in line, as the fields.
local NOTES_MAX = 16
local function noted(notes, more)
	local all, n = notes and notes .. ' ' .. more or more, 0
	for _ in string.gmatch(all, '%S+') do n = n + 1 end
	return n > NOTES_MAX and (string.gsub(all, '%S+ ', '', n - NOTES_MAX)) or all
end
local function remember(id, what)
	local hash = position_key(id)
	call('HSET', hash, 'k', noted(some(call('HGET', hash, 'k')), what))
end

-- The admission bucket in units of 1/60000 person: rate_per_minute units flow in per millisecond,
-- a person costs 60000. A clock that stepped back adds nothing, one that stepped forward at most a
-- full bucket. Returns the units; the caller writes them back with bucket_write.
local function bucket_read(rate, burst)
	local full = burst * 60000
	local kept = call('HMGET', key('tokens'), 'units', 'last_ms')
	local units = number(kept[1], full)
	local passed = now - number(kept[2], now)
	if passed < 0 then passed = 0 end
	if passed > 86400000 then passed = 86400000 end
	units = units + passed * rate
	if units > full then units = full end
	return units
end

local function bucket_write(units)
	call('HSET', key('tokens'), 'units', int(units), 'last_ms', int(now))
end

-- The clock of patience runs only while we listen. When the store restarted (another 'life'), when
-- no admitter ticked or no pod flushed heartbeats for gap_ms, everybody counts as heard at the
-- moment when listening resumed. Returns that moment.
local function patience(life, gap_ms)
	local kept = call('HMGET', key('clock'), 'tick_ms', 'flush_ms', 'life', 'since_ms')
	local tick, flush = number(kept[1], 0), number(kept[2], 0)
	local since = number(kept[4], 0)
	if now - tick > gap_ms or now - flush > gap_ms or tick - now > gap_ms
		or some(kept[3]) ~= life then
		since = now
	end
	call('HSET', key('clock'), 'tick_ms', int(now), 'life', life, 'since_ms', int(since))
	return since
end

-- A pod or a token knows a higher ticket than the store: the store has lost its last moments (or
-- all). The counter is raised, so that no number is given twice; the tickets in between are
-- lost places, held in line for a recovery window in which their visitors report themselves.
-- They are kept as "101-105,111-120" in the field lost:<lane> of the counts: tickets given out
-- between two reports (106-110) are nobody's loss.
local function raise_ticket(lane, seen)
	local last = number(call('GET', key('ticket:' .. lane)), 0)
	if seen <= last then return last end
	local lost = some(call('HGET', key('counts'), 'lost:' .. lane))
	local before, first = string.match(lost or '', '^(.-)(%d+)%-' .. int(last) .. '$')
	if not before then
		before, first = lost and lost .. ',' or '', int(last + 1)
	end
	local poll_max = number(call('HGET', KEYS[1], 'poll_max_ms'), 30000)
	call('HSET', key('counts'), 'lost:' .. lane, before .. first .. '-' .. int(seen),
		'recover_until', int(now + 3 * poll_max))
	call('SET', key('ticket:' .. lane), int(seen))
	return seen
end
