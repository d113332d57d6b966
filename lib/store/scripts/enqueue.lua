-- Gives places to everybody who arrived at a worker since its last call.
--
-- ARGV  outbox_limit, seen_epoch, seen_count, (lane, highest ticket seen) * seen_count,
--       then per person: id, lane, target, user, request_hash, network
-- Gives 'ok', epoch, now, then per person: code, state, lane, ticket, position, joined_ms
--       code: new | same | reused | closed | full | busy | rate | lane
--       or 'noqueue'
--
-- An id that exists keeps its place ('same'), unless the request differs ('reused'). When nobody
-- waits and a slot is free the place is admitted at once: an empty room is invisible.
--
-- Writes: outbox (enqueued, admitted) - position hashes - ticket counters, lists, heartbeats,
-- sessions - bitmap - bucket. With only the outbox written, the retried join makes the same place
-- under the same event id. With hashes but no list entry the place is found by its visitor's poll
-- (not in heartbeats: visit and restore put it back). With the counter not raised the next join
-- would take the same number: the pods' highest seen ticket, or the retried join, raises it first.
local cfg = call('HMGET', KEYS[1], 'version', 'state', 'lanes', 'max_waiting',
	'rate_per_minute', 'burst', 'capacity', 'claim_ttl_ms', 'joins_per_network_per_minute', 'opens_at_ms')
if not cfg[1] then return { 'noqueue' } end
local state, lanes = cfg[2], lanes_of(cfg[3])
local max_waiting, rate, burst = number(cfg[4], 0), number(cfg[5], 0), number(cfg[6], 1)
local network_limit = number(cfg[9], 0)
local counts = call('HMGET', key('counts'), 'rebuild', 'lost_epoch')
local epoch = epoch_now()

local at = 4
for _ = 1, tonumber(ARGV[3]) do
	if ARGV[2] == epoch or ARGV[2] == counts[2] then raise_ticket(ARGV[at], tonumber(ARGV[at + 1])) end
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

-- How many may walk straight in.
local direct, units = 0, 0
if state == 'passthrough' then
	direct = #ARGV
elseif state == 'open' and now >= number(cfg[10], 0) and waiting == 0 and not counts[1]
	and call('ZCARD', key('returned')) == 0 then
	units = bucket_read(rate, burst)
	direct = math.min(math.floor(units / 60000),
		number(cfg[7], 0) - call('ZCARD', key('sessions')))
end
local busy = call('XLEN', key('outbox')) >= tonumber(ARGV[1])

-- Two counters a network, this minute's and the last one's share of a sliding window.
local joins = {}
local function network_is_over(network)
	if network_limit == 0 or network == '' then return false end
	local window = math.floor(now / 60000)
	local seen = joins[network]
	if not seen then
		local before = number(call('GET', key('rate:' .. network .. ':' .. int(window - 1))), 0)
		local this = number(call('GET', key('rate:' .. network .. ':' .. int(window))), 0)
		seen = { before = math.floor(before * (60000 - now % 60000) / 60000), this = this, new = 0 }
		joins[network] = seen
	end
	if seen.before + seen.this + seen.new >= network_limit then return true end
	seen.new = seen.new + 1
	return false
end

local answer, mine = { 'ok', epoch, int(now) }, {}
local made, enqueued, admitted, departed = {}, {}, {}, {}
for i = at, #ARGV, 6 do
	local id, name, hash = ARGV[i], ARGV[i + 1], ARGV[i + 4]
	local code, place = nil, mine[id]
	if not place then
		local kept = call('HMGET', position_key(id), 's', 'l', 't', 'r', 'j')
		if kept[1] then
			place = { s = kept[1], l = kept[2], t = number(kept[3], 0), r = kept[4] or hash,
				j = kept[5] or '0', p = 0 }
		end
	end
	if place then
		-- Its counter was lost with the rest of that step: the number is not given twice.
		local line = lane[place.l]
		if line and place.t > line.ticket then
			line.ticket = raise_ticket(place.l, place.t)
			line.first = line.ticket
		end
		code = (place.r == '' or place.r == hash) and 'same' or 'reused'
	elseif state == 'closed' then
		code = 'closed'
	elseif busy then
		code = 'busy'
	elseif not lane[name] then
		code = 'lane'
	elseif waiting >= max_waiting and direct <= 0 then
		code = 'full'
	elseif network_is_over(ARGV[i + 5]) then
		code = 'rate'
	else
		local line = lane[name]
		line.ticket = line.ticket + 1
		code = 'new'
		place = { id = id, s = 'w', l = name, t = line.ticket, r = hash, j = int(now),
			p = line.ticket - line.gone, g = ARGV[i + 2], u = ARGV[i + 3] }
		local who = id .. ' ' .. name .. ' ' .. int(place.t)
		enqueued[#enqueued + 1] = who
		if direct > 0 then
			direct = direct - 1
			units = units - 60000
			line.gone = line.gone + 1
			place.s, place.p = 'a', 0
			admitted[#admitted + 1] = who .. ' ' .. place.j .. ' '
				.. (state == 'passthrough' and 'passthrough' or 'immediate')
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
end
if #made == 0 then return answer end

tell('enqueued', epoch, enqueued)
tell('admitted', epoch, admitted)
local deadline = int(now + number(cfg[8], 600000))
local beats, sessions = {}, {}
for i = 1, #made do
	local p = made[i]
	local fields = { 's', p.s, 'l', p.l, 't', int(p.t), 'j', p.j }
	if p.r ~= '' then fields[#fields + 1] = 'r'; fields[#fields + 1] = p.r end
	if p.g ~= '' then fields[#fields + 1] = 'g'; fields[#fields + 1] = p.g end
	if p.u ~= '' then fields[#fields + 1] = 'u'; fields[#fields + 1] = p.u end
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
for name, line in pairs(lane) do
	if line.ticket > line.first then call('SET', key('ticket:' .. name), int(line.ticket)) end
	if #line.list > 0 then call('LPUSH', key('waiting:' .. name), unpack(line.list)) end
end
if #beats > 0 then call('ZADD', key('heartbeats'), unpack(beats)) end
if #sessions > 0 then call('ZADD', key('sessions'), unpack(sessions)) end
depart(departed)
if #admitted > 0 and state ~= 'passthrough' then bucket_write(units) end
for network, seen in pairs(joins) do
	if seen.new > 0 then
		local window = key('rate:' .. network .. ':' .. int(math.floor(now / 60000)))
		call('INCRBY', window, int(seen.new))
		call('PEXPIRE', window, '180000')
	end
end
return answer
