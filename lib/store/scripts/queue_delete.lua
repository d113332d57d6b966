-- Takes a queue away, some people a call: everybody gets their final event.
--
-- ARGV  limit, event data (JSON), expected version ('' any; '0' there must be none, only its rest), then
--       audit entry, how many are kept, and for how many seconds from now on; or nothing
-- Gives 'more' (call again) | 'done' | 'noqueue' (nothing was there) | 'conflict' (the queue is
-- there, at
--       another version)
--
-- The first call moves the settings away, so that nobody joins or is admitted any more, and leaves
-- 'deleted:<epoch>' as the epoch: pods tell a deleted queue from a store that has lost everything
-- by it. While the settings that were are there, the name is not free for another queue.
-- The outbox stays until the relay has emptied it, the audit for as long as it is kept.
--
-- Writes: outbox (queue deleted; expired, missed, sessions revoked) - epoch - settings; then
-- positions - sets; the settings that were last. Any prefix is finished by the next call.
local version = call('HGET', KEYS[1], 'version')
local epoch = string.gsub(epoch_now(), '^deleted:', '')
if version and ARGV[3] ~= '' and ARGV[3] ~= version then return { 'conflict' } end
if version then
	audit(ARGV[4], ARGV[5])
	if ARGV[6] then call('EXPIRE', key('audit'), ARGV[6]) end
	call('XADD', key('outbox'), '*', 'type', 'queue-deleted', 'at', int(now), 'epoch', epoch,
		'data', ARGV[2], 'n', version)
	call('HSET', key('counts'), 'last_version', version)
	call('SET', key('epoch'), 'deleted:' .. epoch)
	call('RENAME', KEYS[1], key('settings_were'))
	return { 'more' }
end
if call('EXISTS', key('settings_were')) == 0 then return { 'noqueue' } end
local limit = tonumber(ARGV[1])
local function clear(set)
	local ids = call('ZRANGE', key(set), '0', int(limit - 1))
	local lines, keys = { w = {}, a = {}, c = {} }, {}
	for i = 1, #ids do
		keys[i] = position_key(ids[i])
		local p = call('HMGET', keys[i], 's', 'l', 't', 'n')
		local told = lines[p[1] or '-']
		if told then
			told[#told + 1] = named(ids[i], p[4]) .. ' ' .. p[2] .. ' ' .. p[3] .. (p[1] == 'w' and ' deleted' or '')
		end
	end
	tell('expired', epoch, lines.w)
	tell('missed', epoch, lines.a)
	tell('session-revoked', epoch, lines.c)
	if #ids == 0 then return false end
	call('UNLINK', unpack(keys))
	call('ZREM', key(set), unpack(ids))
	return true
end
if clear('heartbeats') or clear('sessions') then return { 'more' } end
local lanes = lanes_of(call('HGET', key('settings_were'), 'lanes'))
for i = 1, #lanes do
	local name = lanes[i].name
	local last = number(call('GET', key('ticket:' .. name)), 0)
	for chunk = 0, math.floor(last / CHUNK) do
		call('UNLINK', key('gone:' .. name .. ':' .. int(chunk)))
	end
	call('UNLINK', key('waiting:' .. name), key('restored:' .. name), key('ticket:' .. name))
	call('HDEL', key('counts'), 'gone:' .. name, 'admitted:' .. name, 'lost:' .. name)
end
call('UNLINK', key('absent'), key('returned'), key('tokens'), key('departures'), key('revocations'),
	key('clock'))
call('HDEL', key('counts'), 'lost_epochs', 'rebuild', 'revived', 'from_nothing', 'recover_until', 'traced')
local minutes = {}
for i = 0, math.floor(STATS_KEEP_MS / 60000) do
	minutes[i + 1] = key('stats:' .. int(math.floor(now / 60000) - i))
end
call('UNLINK', unpack(minutes))
call('UNLINK', key('settings_were'))
return { 'done' }
