-- Puts places back that a visitor's signed token proves and the store has lost.
--
-- ARGV  per person: id, lane, ticket, joined_ms, epoch, front: '1' when the pod's picture says that the ticket
--       had left the line before the store lost it, else '0'
-- Gives 'ok', now, then per person: state after the call ('w' also when it was put back just now,
--       '-' when the place ended long ago, or belongs to a life of the queue that is over)
--       or 'noqueue'
--
-- A place that is there keeps its state. One that is missing comes back with its own ticket, and
-- stands in 'restored' by ticket order: admit merges it with the list, so nobody overtakes
-- anybody. A ticket whose bit says gone has ended and been forgotten, unless it is a lost one.
-- Whoever was set aside or let in before the loss is not counted by those behind: they come back to
-- the front, as from absence, and nobody's number grows.
--
-- Writes: outbox (restored) - position hashes - ticket counter - restored, returned, heartbeats -
-- bitmap. A hash without its entries is put into them by the next report of the same visitor.
local cfg = call('HMGET', KEYS[1], 'version', 'lanes')
if not cfg[1] then return { 'noqueue' } end
local epoch = epoch_now()
local counts = call('HMGET', key('counts'), 'lost_epochs', 'rebuild')
local known, why = {}, counts[2] and 'rebuilt' or 'failover'
for _, lane in ipairs(lanes_of(cfg[2])) do known[lane.name] = true end
local answer, lines, back, mine, departed = { 'ok', int(now) }, {}, {}, {}, {}
-- The token itself proves a life that nobody remembers, when the pods have started anew with the
-- store.
local function is_ours(life)
	if epoch_counts(life, epoch, some(counts[1])) then return true end
	if not add_lives({ life }) then return false end
	counts = call('HMGET', key('counts'), 'lost_epochs', 'rebuild')
	why = counts[2] and 'rebuilt' or why
	return true
end

-- Was it given out by a store that knew more? Its place did not end here, also when a pod has seen
-- it leave (depart).
local function is_lost(lane, ticket)
	for first, last in string.gmatch(some(call('HGET', key('counts'), 'lost:' .. lane)) or '', '(%d+)%-(%d+)') do
		if tonumber(first) <= ticket and ticket <= tonumber(last) then return true end
	end
	return false
end

for i = 1, #ARGV, 6 do
	local id, lane, ticket = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
	local state = call('HMGET', position_key(id), 's', 'a', 'b')
	local gone = 0
	if not state[1] and not mine[id] then
		local chunk = math.floor((ticket - 1) / CHUNK)
		gone = call('GETBIT', key('gone:' .. lane .. ':' .. int(chunk)),
			int(ticket - 1 - chunk * CHUNK))
	end
	if mine[id] then
		answer[#answer + 1] = 'w'
	elseif state[1] then
		answer[#answer + 1] = state[1]
		if state[1] == 'w' and not call('ZSCORE', key('heartbeats'), id) then
			back[#back + 1] = { id = id, lane = lane, ticket = ticket, there = true,
				aside = state[2] or state[3] }
		end
	elseif gone == 1 and not is_lost(lane, ticket) or not known[lane] or not is_ours(ARGV[i + 4]) then
		answer[#answer + 1] = '-'
	else
		answer[#answer + 1] = 'w'
		mine[id] = true
		back[#back + 1] = { id = id, lane = lane, ticket = ticket, joined = ARGV[i + 3], front = gone == 1 or ARGV[i + 5] == '1' }
		lines[#lines + 1] = id .. ' ' .. lane .. ' ' .. int(ticket) .. ' '
			.. why
	end
end
tell('restored', epoch, lines)
for i = 1, #back do
	local p = back[i]
	if not p.there then
		local fields = { 's', 'w', 'l', p.lane, 't', int(p.ticket), 'j', p.joined, 'k', 'r' .. int(now) .. ':' .. why }
		if p.front then
			fields[#fields + 1] = 'b'
			fields[#fields + 1] = '1'
		end
		call('HSET', position_key(p.id), unpack(fields))
	end
	raise_ticket(p.lane, p.ticket)
	if p.front then
		call('ZADD', key('returned'), int(p.ticket), p.id)
		departs(departed, p.lane, p.ticket)
	elseif not p.aside then
		call('ZADD', key('restored:' .. p.lane), int(p.ticket), p.id)
	end
	call('ZADD', key('heartbeats'), int(now), p.id)
end
depart(departed)
return answer
