-- Puts sessions back that a signed token proves and the store has lost.
--
-- ARGV  per person: position id, epoch, lane, ticket, ends_ms
-- Gives 'ok', now, then per person: state after the call ('c' also when it was put back just now,
-- '-' when it
--       is over, or belongs to a life of the queue that is over);  or 'noqueue'
--
-- Whoever has a session was admitted and has claimed, whatever the store remembers of it: a place
-- that waits again (it was put back from the token of the place) leaves the line, one that was let
-- in is claimed. A session that was ended here stays ended. The slot counts from now on, even
-- beyond the capacity: the person is on the site.
--
-- Writes: outbox (admitted, claimed: under the ids that they had before the loss) - position hashes
-- - ticket counter - sessions - other sets - bitmap. A hash without its entries is put into them by
-- the next report.
local cfg = call('HMGET', KEYS[1], 'version', 'lanes')
if not cfg[1] then return { 'noqueue' } end
local epoch, lost = epoch_now(), some(call('HGET', key('counts'), 'lost_epochs'))
local known = {}
for _, lane in ipairs(lanes_of(cfg[2])) do known[lane.name] = true end
local answer, back, mine = { 'ok', int(now) }, {}, {}
local admitted, claimed, departed = {}, {}, {}
for i = 1, #ARGV, 5 do
	local id, ends = ARGV[i], tonumber(ARGV[i + 4])
	local p = call('HMGET', position_key(id), 's', 'l', 't', 'j', 'e', 'n')
	local state, lane, ticket = mine[id] or p[1] or '-', p[2] or ARGV[i + 2], number(p[3] or ARGV[i + 3], 0)
	local is_ours = epoch_counts(ARGV[i + 1], epoch, lost)
	local comes_back = is_ours and ends > now and not mine[id] and known[lane] and ticket > 0
		and (state == '-' or state == 'w' or state == 'a' or state == 'c')
	if comes_back then
		local who = named(id, p[6]) .. ' ' .. lane .. ' ' .. int(ticket)
		local old_end = state == 'c' and number(p[5], 0) or 0
		if state == '-' or state == 'w' then
			admitted[#admitted + 1] = who .. ' ' .. (p[4] or int(now)) .. ' line'
		end
		if state ~= 'c' then claimed[#claimed + 1] = who .. ' ' .. int(ends) end
		back[#back + 1] = { id = id, lane = lane, ticket = ticket, was = state, ends = math.max(ends, old_end),
			joined = p[4] or int(now) }
		state = 'c'
		mine[id] = state
	end
	answer[#answer + 1] = state
end
tell('admitted', epoch, admitted)
tell('claimed', epoch, claimed)
for i = 1, #back do
	local p = back[i]
	call('HSET', position_key(p.id), 's', 'c', 'l', p.lane, 't', int(p.ticket), 'j', p.joined,
		'e', int(p.ends), 'c', int(now))
	raise_ticket(p.lane, p.ticket)
	call('ZADD', key('sessions'), int(p.ends), p.id)
	if p.was == 'w' then
		call('ZREM', key('absent'), p.id)
		call('ZREM', key('returned'), p.id)
		call('ZREM', key('restored:' .. p.lane), p.id)
		call('ZREM', key('heartbeats'), p.id)
	end
	departs(departed, p.lane, p.ticket)
end
depart(departed)
return answer
