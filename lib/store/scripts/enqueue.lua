-- Gives places to everybody who arrived at a worker since its last call.
--
-- ARGV  outbox_limit, seen_epoch, seen_count, (lane, highest ticket seen) * seen_count,
--       then per person: id, lane, target, user, request_hash,
--       network ("10.0.0.0", or "10.0.0.0 <hash of the address>"), papers
-- Gives 'ok', epoch, now, then per person: code, state, lane, ticket, position, joined_ms, held
--       code: new | same | reused | closed | full | busy | rate | lane | replayed | used
--       held: '<holder>:<id>' of somebody with an identity, else '-'
--       or 'noqueue'
--
-- An id that exists keeps its place ('same'), unless the request differs ('reused'). When nobody
-- waits and a slot is free the place is admitted at once: an empty room is invisible.
--
-- Papers are what was shown at the door: '' or words with spaces between them.
--   n:<nonce>:<s>  a challenge, good for one place; remembered for so many seconds ('replayed')
--   j:<hash>:<s>   an entry token, the same ('used')
--   t:<parent>     traceparent of the join, kept with the place that it makes
--   x              the proof has been used or is too old: only who is known already ('replayed')
--   i:<other id>   the id stands for a person. Who comes again takes the place over: its holder is
--                  raised and the pods are told, so that older tokens learn that it moved. When that
--                  place has ended the person gets a new one, with the other id.
-- A holder is the second in which it was raised, or one more than the last: it grows even when the
-- store has forgotten it. Whoever is known is asked for no papers again, so a repeated join
-- succeeds with the proof that its first try has redeemed.
--
-- Writes: outbox (enqueued, admitted) - papers - position hashes - ticket counters, lists,
-- heartbeats, sessions - bitmap - bucket - holders. A proof is remembered with the id that it was
-- redeemed for, so the retried join can redeem it again. With only the outbox written, the retried
-- join makes the same place under the same event id. With hashes but no list entry the place is
-- found by its visitor's poll (not in heartbeats: visit and restore put it back). With the counter
-- not raised the next join would take the same number: the pods' highest seen ticket, or the
-- retried join, raises it first.
local cfg = call('HMGET', KEYS[1], 'version', 'state', 'lanes', 'max_waiting',
	'rate_per_minute', 'burst', 'capacity', 'claim_ttl_ms', 'joins_per_network_per_minute', 'opens_at_ms',
	'joins_per_address_per_minute')
if not cfg[1] then return { 'noqueue' } end
local state, lanes = cfg[2], lanes_of(cfg[3])
local max_waiting, rate, burst = number(cfg[4], 0), number(cfg[5], 0), number(cfg[6], 1)
local network_limit, address_limit = number(cfg[9], 0), number(cfg[11], 0)
local counts = call('HMGET', key('counts'), 'rebuild', 'lost_epochs', 'revived')
local epoch = epoch_now()

local at = 4
for _ = 1, tonumber(ARGV[3]) do
	if epoch_counts(ARGV[2], epoch, some(counts[2])) then raise_ticket(ARGV[at], tonumber(ARGV[at + 1])) end
	at = at + 2
end

-- Where each lane stands now.
local lane, waiting = {}, 0
for i = 1, #lanes do
	local name = lanes[i].name
	local ticket = number(call('GET', key('ticket:' .. name)), 0)
	local gone = number(call('HGET', key('counts'), 'gone:' .. name), 0)
	lane[name] = { ticket = ticket, first = ticket, gone = gone, list = {} }
	waiting = waiting + ticket - gone
end

-- Does somebody wait whom the counts do not know of? (restore, support_restore)
local function has_restored()
	for i = 1, #lanes do
		if call('EXISTS', key('restored:' .. lanes[i].name)) == 1 then return true end
	end
	return false
end

-- How many may walk straight in.
local direct, units = 0, 0
if state == 'passthrough' then
	direct = #ARGV
elseif state == 'open' and now >= number(cfg[10], 0) and waiting == 0 and not counts[1]
	and call('ZCARD', key('returned')) == 0 and not has_restored() then
	units = bucket_read(rate, burst)
	direct = math.min(math.floor(units / 60000),
		number(cfg[7], 0) - call('ZCARD', key('sessions')))
end
local busy = call('XLEN', key('outbox')) >= tonumber(ARGV[1])
-- A number that another pod has given out must not be given again: it has a moment to say so
-- (queue_put).
if counts[1] and counts[3] and math.abs(now - number(counts[3], 0)) < 1000 then busy = true end

-- Two counters a network, this minute's and the last one's share of a sliding window; the same for
-- an address. A join that is over either counts for neither.
local joins = {}
local function joins_of(name, limit)
	if limit == 0 or name == '' then return nil end
	local seen = joins[name]
	if not seen then
		local window = math.floor(now / 60000)
		local before = number(call('GET', key('rate:' .. name .. ':' .. int(window - 1))), 0)
		local this = number(call('GET', key('rate:' .. name .. ':' .. int(window))), 0)
		before = math.floor(before * (60000 - now % 60000) / 60000)
		seen = { room = limit - before - this, new = 0 }
		joins[name] = seen
	end
	return seen
end
local function network_is_over(text)
	if network_limit == 0 and address_limit == 0 then return false end
	local network, address = string.match(text, '^(%S*) ?(%S*)$')
	local wide, near = joins_of(network, network_limit), joins_of(address, address_limit)
	if wide and wide.room <= wide.new or near and near.room <= near.new then return true end
	if wide then wide.new = wide.new + 1 end
	if near then near.new = near.new + 1 end
	return false
end

local function papers_of(text)
	local papers = {}
	for kind, name, life in string.gmatch(text, '(%l):?([^: ]*):?(%d*)') do
		papers[kind] = { name = name, life = life }
	end
	return papers
end

-- Redeemed for somebody else? Remembers the proof with the place that is being made.
local redeemed = {}
local function is_spent(kind, paper, id)
	local name = key('spent:' .. kind .. ':' .. paper.name)
	local by = redeemed[name] and redeemed[name].id or some(call('GET', name))
	return by ~= nil and by ~= id
end
local function redeem(kind, paper, id)
	redeemed[key('spent:' .. kind .. ':' .. paper.name)] = { id = id, life = paper.life }
end

local PERSON_LIFE_S = '2678400' -- longer than all tokens of a place together
local nothing, finished = {}, { e = true, l = true, x = true, m = true }
local persons, moved = {}, {}
local answer, mine = { 'ok', epoch, int(now) }, {}
local made, enqueued, admitted, departed = {}, {}, {}, {}

local function find(id, hash)
	if mine[id] then return mine[id] end
	local kept = call('HMGET', position_key(id), 's', 'l', 't', 'r', 'j')
	if not kept[1] then return nil end
	return { id = id, s = kept[1], l = kept[2], t = number(kept[3], 0), r = kept[4] or hash,
		j = kept[5] or '0', p = 0 }
end

local function take_over(place)
	local held = place.h or number(call('HGET', position_key(place.id), 'h'), 0)
	place.h = math.max(math.floor(now / 1000), held + 1)
	moved[#moved + 1] = place
	mine[place.id] = place
end

for i = at, #ARGV, 7 do
	local id, name, hash = ARGV[i], ARGV[i + 1], ARGV[i + 4]
	local papers, person = nothing, nil
	if ARGV[i + 6] ~= '' then
		papers = papers_of(ARGV[i + 6])
		person = papers.i and key('person:' .. id)
		if person then id = persons[person] or some(call('GET', person)) or id end
	end
	local code, place = nil, find(id, hash)
	if person and (place and finished[place.s] or not place and id ~= ARGV[i]) then
		id, place = papers.i.name, nil
	end
	if place then
		-- Its counter was lost with the rest of that step: the number is not given twice.
		local line = lane[place.l]
		if line and place.t > line.ticket then
			line.ticket = raise_ticket(place.l, place.t)
			line.first = line.ticket
		end
		code = (place.r == '' or place.r == hash) and 'same' or 'reused'
		if person then take_over(place) end
	elseif state == 'closed' or state == 'draining' then
		code = 'closed'
	elseif busy then
		code = 'busy'
	elseif not lane[name] then
		code = 'lane'
	elseif waiting >= max_waiting and direct <= 0 then
		code = 'full'
	elseif papers.j and is_spent('j', papers.j, id) then
		code = 'used'
	elseif papers.x or papers.n and is_spent('n', papers.n, id) then
		code = 'replayed'
	elseif network_is_over(ARGV[i + 5]) then
		code = 'rate'
	else
		local line = lane[name]
		line.ticket = line.ticket + 1
		code = 'new'
		place = { id = id, s = 'w', l = name, t = line.ticket, r = hash, j = int(now),
			p = line.ticket - line.gone, g = ARGV[i + 2], u = ARGV[i + 3] }
		if papers.j then redeem('j', papers.j, id) end
		if papers.n then redeem('n', papers.n, id) end
		if person then
			place.h = 0
			if id ~= ARGV[i] then persons[person] = id end
		end
		place.tp = papers.t and papers.t.name
		local who, trace = id .. ' ' .. name .. ' ' .. int(place.t), traced(place.tp)
		enqueued[#enqueued + 1] = who .. trace
		if direct > 0 then
			direct = direct - 1
			units = units - 60000
			line.gone = line.gone + 1
			place.s, place.p = 'a', 0
			admitted[#admitted + 1] = who .. ' ' .. place.j .. ' '
				.. (state == 'passthrough' and 'passthrough' or 'immediate') .. trace
			departs(departed, name, place.t)
		else
			waiting = waiting + 1
			line.list[#line.list + 1] = id
		end
		made[#made + 1] = place
		mine[id] = place
	end
	local n = #answer
	answer[n + 1] = code
	answer[n + 2] = place and place.s or '-'
	answer[n + 3] = place and place.l or name
	answer[n + 4] = place and place.t or 0
	answer[n + 5] = place and place.p or 0
	answer[n + 6] = place and tonumber(place.j) or 0
	answer[n + 7] = person and place and int(place.h) .. ':' .. id or '-'
end

-- Told before it is written: who is told twice that a place moved is none the worse.
local function move_holders()
	for i = 1, #moved do
		call('XADD', key('revocations'), 'MINID', '~', int(now - REVOCATIONS_KEEP_MS), '*', 'r',
			'm ' .. moved[i].id .. ' ' .. int(moved[i].h))
		call('HSET', position_key(moved[i].id), 'h', int(moved[i].h))
		remember(moved[i].id, 'm' .. int(now))
	end
end
if #made == 0 then
	move_holders()
	return answer
end

tell('enqueued', epoch, enqueued)
tell('admitted', epoch, admitted)
for name, paper in pairs(redeemed) do call('SET', name, paper.id, 'EX', paper.life) end
for name, id in pairs(persons) do call('SET', name, id, 'EX', PERSON_LIFE_S) end
local deadline = int(now + number(cfg[8], 600000))
local beats, sessions, traces = {}, {}, false
for i = 1, #made do
	local p = made[i]
	local fields = { 's', p.s, 'l', p.l, 't', int(p.t), 'j', p.j }
	if p.r ~= '' then fields[#fields + 1] = 'r'; fields[#fields + 1] = p.r end
	if p.g ~= '' then fields[#fields + 1] = 'g'; fields[#fields + 1] = p.g end
	if p.u ~= '' then fields[#fields + 1] = 'u'; fields[#fields + 1] = p.u end
	if p.tp then fields[#fields + 1] = 'tp'; fields[#fields + 1] = p.tp; traces = true end
	call('HSET', position_key(p.id), unpack(fields))
	if p.s == 'w' then
		-- Negative until the first heartbeat: the place is a ghost, made at -score.
		beats[#beats + 1] = int(-now)
		beats[#beats + 1] = p.id
	else
		sessions[#sessions + 1] = deadline
		sessions[#sessions + 1] = p.id
		call('HINCRBY', key('counts'), 'admitted:' .. p.l, '1')
	end
end
if traces then call('HSET', key('counts'), 'traced', '1') end
for name, line in pairs(lane) do
	if line.ticket > line.first then call('SET', key('ticket:' .. name), int(line.ticket)) end
	if #line.list > 0 then call('LPUSH', key('waiting:' .. name), unpack(line.list)) end
end
if #beats > 0 then call('ZADD', key('heartbeats'), unpack(beats)) end
if #sessions > 0 then
	violated('double', #sessions / 2 - call('ZADD', key('sessions'), unpack(sessions)))
	if state ~= 'passthrough' then
		violated('capacity',
			math.min(#sessions / 2, call('ZCARD', key('sessions')) - number(cfg[7], 0)))
	end
end
depart(departed)
if #admitted > 0 and state ~= 'passthrough' then bucket_write(units) end
for name, seen in pairs(joins) do
	if seen.new > 0 then
		local window = key('rate:' .. name .. ':' .. int(math.floor(now / 60000)))
		call('INCRBY', window, int(seen.new))
		call('PEXPIRE', window, '180000')
	end
end
move_holders()
count('joined', #made)
count('admitted', #admitted)
return answer
