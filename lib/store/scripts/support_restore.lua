-- Puts a place back that was lost by mistake: expired, left, missed or ended; on an operator's
-- order.
--
-- ARGV  id, what is known of it where the store has forgotten it (lane or '', ticket, joined ms), entry
--       for the audit, how many of them are kept
-- Gives 'ok', now, outcome, state, lane, ticket, front;  or 'noqueue'
--       outcome: restored | there (it is not lost) | unknown (nothing is kept, nothing was given)
--                | lane (there is none of that name) | ticket (was never given out)
--       front: 1 when it stands before the line, because admission has passed its ticket
--
-- The place gets its own ticket: it stands before everybody who joined later. Its ticket stays
-- marked as gone, so that nobody else's number grows; admission finds the place in 'restored', or
-- in 'returned' when it has been passed. It counts as heard now, so its visitor has the time of a
-- heartbeat to come back. From here on its events bear a number: each can happen once more.
--
-- Writes: outbox (audit, restored) - position hash - restored or returned, heartbeats - bitmap. A
-- hash without its entries is put into them by its visitor's poll (visit); without the hash nothing
-- has happened, and the order can be repeated.
local cfg = call('HMGET', KEYS[1], 'version', 'lanes')
if not cfg[1] then return { 'noqueue' } end
local id, hash = ARGV[1], position_key(ARGV[1])
local p = call('HMGET', hash, 's', 'l', 't', 'j', 'n', 'k', 'a', 'i', 'c', 'x')
local lane, ticket = p[2] or ARGV[2], number(p[3] or ARGV[3], 0)
local function outcome(word, state, front)
	return { 'ok', int(now), word, state, lane, ticket, front and 1 or 0 }
end
if p[1] == 'w' or p[1] == 'a' or p[1] == 'c' then return outcome('there', p[1]) end
if not p[1] and ARGV[2] == '' then return outcome('unknown', '-') end
local known = {}
for _, one in ipairs(lanes_of(cfg[2])) do known[one.name] = true end
if not p[1] and not known[lane] then return outcome('lane', '-') end
if not p[1] and (ticket < 1 or ticket > number(call('GET', key('ticket:' .. lane)), 0)) then
	return outcome('ticket', '-')
end

local front = not known[lane] or ticket <= number(call('HGET', key('tokens'), 'let_in:' .. lane), 0)
local again = int(number(p[5], 0) + 1)
local notes = some(p[6])
if p[7] then notes = noted(notes, 'a' .. p[7]) end
if p[8] then notes = noted(notes, 'i' .. p[8]) end
if p[9] then notes = noted(notes, 'c' .. p[9]) end
if p[10] then notes = noted(notes, string.upper(p[1]) .. string.gsub(p[10], ' ', ':')) end
notes = noted(notes, 'r' .. int(now) .. ':operator')

audit(ARGV[5], ARGV[6], state_before(p[1]))
tell('restored', epoch_now(), { named(id, again) .. ' ' .. lane .. ' ' .. int(ticket) .. ' operator' })
call('PERSIST', hash)
call('HSET', hash, 's', 'w', 'l', lane, 't', int(ticket), 'j', p[4] or ARGV[4], 'n', again, 'k', notes,
	'b', front and '1' or '0')
call('HDEL', hash, 'a', 'e', 'i', 'c', 'x', front and 'a' or 'b')
call('ZREM', key('absent'), id)
call('ZREM', key('sessions'), id)
call('ZADD', front and key('returned') or key('restored:' .. lane), int(ticket), id)
call('ZADD', key('heartbeats'), int(now), id)
if front then depart({ [lane] = { ticket } }) end -- of one that the store had lost
return outcome('restored', 'w', front)
