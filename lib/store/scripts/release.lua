-- Visitors give their places up; also used for sessions: release, revoke, renew.
--
-- ARGV  what ('leave' | 'release' | 'revoke' | 'renew'), then ids;
--       or 'operator', audit entry, how many are kept, then ids: a revoke that is somebody's doing
-- Gives 'ok', now, then per person: state, ends_ms;  or 'noqueue'
--
--   leave    waiting -> left; admitted -> missed; claimed -> ended (released)
--   release  claimed -> ended (released)        revoke  claimed -> ended (revoked), admitted -> missed
--   renew    claimed: the session's end moves to a full session_ttl_ms from now, if the queue says so
-- Repeating is fine: the state after the call is the answer. The entry in the waiting list stays
-- and is dropped when admit meets it: taking it out of the middle would cost a walk.
--
-- A session that ends here has a token that does not know: the pods are told (tell_revoked). A
-- revoked one is told of also when the store has forgotten it: its token may be about. So is one
-- that has ended and is renewed after all: nobody slides on without a slot.
--
-- Writes: outbox - revocations - position hashes - sets - bitmap. Told and not yet ended is the
-- harmless side: the session is refused, and ends when it is tried again or by itself. A hash that
-- has ended while its sets have not is taken out of them by admit and reap.
local cfg = call('HMGET', KEYS[1], 'version', 'ended_keep_ms', 'session_ttl_ms', 'session_renewal',
	'claim_ttl_ms')
if not cfg[1] then return { 'noqueue' } end
local what, first, keep = ARGV[1], 2, int(number(cfg[2], 3600000))
if what == 'operator' then what, first = 'revoke', 4 end
local ends = now + number(cfg[3], 900000)
local revoked, until_s = {}, 0
local answer, ended, departed = { 'ok', int(now) }, {}, {}
local told = { left = {}, missed = {}, ['session-released'] = {}, ['session-revoked'] = {} }
local renewed, mine = {}, {}
local was = nil
local whys = { leave = 'left', release = 'released', revoke = 'revoked' }
for i = first, #ARGV do
	local id = ARGV[i]
	local p = call('HMGET', position_key(id), 's', 'l', 't', 'e', 'a', 'b', 'n')
	local state, session_end, kind = mine[id] or p[1] or '-', number(p[4], 0), nil
	if state ~= 'w' then was = was or state end
	if what == 'renew' then
		if state == 'c' and cfg[4] == '1' then
			session_end = ends
			renewed[#renewed + 1] = id
		end
	elseif state == 'w' and what == 'leave' then
		state, kind = 'l', 'left'
		if not p[5] and not p[6] then departs(departed, p[2], tonumber(p[3])) end
	elseif state == 'a' and what ~= 'release' then
		state, kind = 'm', 'missed'
	elseif state == 'c' then
		state = 'e'
		kind = what == 'revoke' and 'session-revoked' or 'session-released'
	end
	if state == 'e' and (kind or what == 'renew') or what == 'revoke' and state ~= 'w' then
		-- The token may have been renewed without the store having heard of it yet.
		local last_s = math.floor((math.max(session_end, ends) + 60000) / 1000)
		revoked[#revoked + 1] = 's ' .. id .. ' ' .. int(last_s)
		until_s = math.max(until_s, last_s)
	end
	if kind then
		table.insert(told[kind], named(id, p[7]) .. ' ' .. p[2] .. ' ' .. p[3])
		ended[#ended + 1] = { id = id, s = state, l = p[2], why = whys[what],
			let_in = p[1] == 'a' and let_in_at(call('ZSCORE', key('sessions'), id), number(cfg[5], 600000)) }
		mine[id] = state
	end
	answer[#answer + 1] = state
	answer[#answer + 1] = session_end
end

local epoch = epoch_now()
if was and first == 4 then audit(ARGV[2], ARGV[3], state_before(was)) end
for kind, lines in pairs(told) do tell(kind, epoch, lines) end
tell_revoked(revoked, until_s)
for i = 1, #ended do
	local e = ended[i]
	finish(position_key(e.id), e.s, keep, e.why, e.let_in)
end
for i = 1, #ended do
	local id = ended[i].id
	if ended[i].s == 'l' then
		call('ZREM', key('absent'), id)
		call('ZREM', key('returned'), id)
		call('ZREM', key('restored:' .. ended[i].l), id)
		call('ZREM', key('heartbeats'), id)
	else
		call('ZREM', key('sessions'), id)
	end
end
for i = 1, #renewed do
	call('HSET', position_key(renewed[i]), 'e', int(ends))
	call('ZADD', key('sessions'), int(ends), renewed[i])
end
depart(departed)
count('left', #told.left)
count('missed', #told.missed)
return answer
