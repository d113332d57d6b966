-- Takes a queue away, some people a call: everybody gets their final event.
--
-- ARGV  limit, event data (JSON)
-- Gives 'more' (call again) | 'done' | 'noqueue' (nothing was there)
--
-- The first call takes the settings away, so that nobody joins or is admitted any more, and leaves
-- 'deleted:<epoch>' as the epoch: pods tell a deleted queue from a store that has lost everything
-- by it.
-- The outbox stays until the relay has emptied it.
--
-- Writes: outbox (queue deleted; expired, sessions revoked) - positions - sets; the rest last. Any
-- prefix is finished by the next call.
local version = redis.call('HGET', KEYS[1], 'version')
local epoch = string.gsub(epoch_now(), '^deleted:', '')
if epoch == '' and not version then return { 'noqueue' } end
if version then
	redis.call('XADD', key('outbox'), '*', 'type', 'queue-deleted', 'at', int(now), 'epoch', epoch,
		'data', ARGV[2], 'n', version)
	redis.call('HSET', key('counts'), 'last_version', version)
	redis.call('SET', key('epoch'), 'deleted:' .. epoch)
	redis.call('RENAME', KEYS[1], key('settings_were'))
	return { 'more' }
end
local limit = tonumber(ARGV[1])
local function clear(set, letter, kind, reason)
	local ids = redis.call('ZRANGE', key(set), '0', int(limit - 1))
	local lines = {}
	for i = 1, #ids do
		local p = redis.call('HMGET', position_key(ids[i]), 's', 'l', 't')
		if p[1] == 'w' or p[1] == 'a' or p[1] == 'c' then
			lines[#lines + 1] = ids[i] .. ' ' .. p[2] .. ' ' .. p[3] .. reason
		end
	end
	tell(kind, epoch, lines)
	for i = 1, #ids do finish(ids[i], letter, 3600000) end
	if #ids > 0 then redis.call('ZREM', key(set), unpack(ids)) end
	return #ids
end
if clear('heartbeats', 'x', 'expired', ' deleted') > 0 then return { 'more' } end
if clear('sessions', 'e', 'session-revoked', '') > 0 then return { 'more' } end
local lanes = lanes_of(redis.call('HGET', key('settings_were'), 'lanes'))
for i = 1, #lanes do
	local name = lanes[i].name
	local last = number(redis.call('GET', key('ticket:' .. name)), 0)
	for chunk = 0, math.floor(last / CHUNK) do
		redis.call('UNLINK', key('gone:' .. name .. ':' .. int(chunk)))
	end
	redis.call('UNLINK', key('waiting:' .. name), key('restored:' .. name), key('ticket:' .. name))
	redis.call('HDEL', key('counts'), 'gone:' .. name, 'admitted:' .. name, 'lost_from:' .. name,
		'lost_to:' .. name)
end
redis.call('UNLINK', key('absent'), key('returned'), key('tokens'), key('departures'),
	key('clock'), key('settings_were'))
redis.call('HDEL', key('counts'), 'lost_epoch', 'rebuild', 'recover_until')
return { 'done' }
