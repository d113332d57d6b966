-- Makes a queue or changes its settings.
--
-- ARGV  how, expected version ('' any, '0' must not exist), new epoch, event data (JSON),
--       field_count, (field, value) * field_count, then for 'revive': lost epochs, the last first, with commas between, (lane, ticket) *,
--       for the others: audit entry and how many are kept, or nothing
--       how: 'put'      make or replace
--            'patch'    change only the given fields of a queue that exists
--            'revive'   the store has lost everything and a pod still knows the queue
-- Gives 'created' | 'changed' | 'same', version, epoch;  'conflict', version;  'noqueue';
--       'busy' when the former queue of that name is still being cleared;  'lane', version when people
--       stand in a lane that would be no more: nobody would let them in
--
-- A revived queue is frozen for a recovery window in which visitors report their places (restore).
-- A pod that comes after another one that has revived it adds what it knows: higher tickets, and
-- lives that the other one has not seen. So it does when the queue was made where nothing was, by a
-- pod that started with a file and an empty store: that was not the first time, and the queue goes
-- on as a revived one.
--
-- Writes: outbox - epoch - recovery marks - settings with their version last and at once: a queue
-- exists when it has a version, and a change is seen when the version is another.
local how, expected = ARGV[1], ARGV[2]
local version = call('HGET', KEYS[1], 'version')
local epoch = epoch_now()
if how == 'patch' and not version then return { 'noqueue' } end
-- An epoch without settings is what a promoted replica kept of a put that was never whole.
local lost_at = 6 + tonumber(ARGV[5]) * 2 -- of 'revive'

-- The tickets that a pod has seen in a life that was lost.
local function raise_tickets()
	local known = {}
	for _, lane in ipairs(lanes_of(call('HGET', KEYS[1], 'lanes'))) do known[lane.name] = true end
	for i = lost_at + 1, #ARGV, 2 do
		if known[ARGV[i]] then raise_ticket(ARGV[i], tonumber(ARGV[i + 1])) end
	end
end

if how == 'revive' and (version or string.sub(epoch, 1, 8) == 'deleted:') then
	local lives = {}
	for life in string.gmatch(ARGV[lost_at], '[^,]+') do lives[#lives + 1] = life end
	if version and add_lives(lives) then raise_tickets() end
	return { 'same', number(version, 0), epoch }
end
if expected ~= '' and expected ~= (version or '0') then
	return { 'conflict', number(version, 0) }
end
if not version and call('EXISTS', key('settings_were')) == 1 then
	return { 'busy' }
end
local fields, values, names = tonumber(ARGV[5]), {}, {}
local state, lanes = nil, nil
for i = 1, fields do
	local name, value = ARGV[4 + i * 2], ARGV[5 + i * 2]
	values[i * 2 - 1], values[i * 2], names[i] = name, value, name
	if name == 'state' then state = value end
	if name == 'lanes' then lanes = value end
end
local old_state = some(call('HGET', KEYS[1], 'state'))
if version then
	local now_values, different = call('HMGET', KEYS[1], unpack(names)), false
	for i = 1, fields do
		if now_values[i] ~= values[i * 2] then different = true end
	end
	if not different then return { 'same', tonumber(version), epoch } end
end
if version and lanes then
	local keeps, old = {}, lanes_of(call('HGET', KEYS[1], 'lanes'))
	for _, lane in ipairs(lanes_of(lanes)) do keeps[lane.name] = true end
	for i = 1, #old do
		local name = old[i].name
		if not keeps[name] and number(call('GET', key('ticket:' .. name)), 0)
			> number(call('HGET', key('counts'), 'gone:' .. name), 0) then
			return { 'lane', tonumber(version) }
		end
	end
end

local kind = 'queue-updated'
if not version then
	kind = 'queue-created'
	epoch = ARGV[3]
elseif state == 'paused' and old_state ~= 'paused' then
	kind = 'queue-paused'
elseif old_state == 'paused' and state and state ~= 'paused' then
	kind = 'queue-resumed'
end
local next_version = number(version, 0) + 1
if not version then next_version = number(call('HGET', key('counts'), 'last_version'), 0) + 1 end
if how ~= 'revive' then audit(ARGV[6 + fields * 2], ARGV[7 + fields * 2]) end
call('XADD', key('outbox'), '*', 'type', kind, 'at', int(now), 'epoch', epoch, 'data', ARGV[4],
	'n', int(next_version))
if not version then
	local is_first = epoch_now() == ''
	call('SET', key('epoch'), epoch)
	if how ~= 'revive' and is_first then
		call('HSET', key('counts'), 'from_nothing', now_text)
	elseif how == 'revive' then
		local poll_max = 30000
		for i = 1, fields do
			if values[i * 2 - 1] == 'poll_max_ms' then poll_max = number(values[i * 2], 30000) end
		end
		call('HSET', key('counts'), 'lost_epochs', ARGV[lost_at])
		begin_rebuilding(poll_max)
		for i = lost_at + 1, #ARGV, 2 do
			if tonumber(ARGV[i + 1]) > 0 then
				call('HSET', key('counts'), 'lost:' .. ARGV[i], '1-' .. ARGV[i + 1])
				call('SET', key('ticket:' .. ARGV[i]), ARGV[i + 1])
			end
		end
	end
end
values[fields * 2 + 1], values[fields * 2 + 2] = 'version', int(next_version)
call('HSET', KEYS[1], unpack(values))
return { version and 'changed' or 'created', next_version, epoch }
