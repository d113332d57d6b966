-- Everything that changed in a queue since a pod last asked: what its local picture needs.
--
-- ARGV  last departures id known ('0' at first), settings version known, most entries to give of each
--       stream, last revocations id known ('0' at first; '' or not given: none of them)
-- Gives 'ok', now, epoch, lost_epochs, recovering, version, active, absent, returned,
-- outbox_length,
--       lanes = { name, ticket, gone, admitted, … }, settings = { field, value, … } (empty when the
--       version is the known one), departures = { id, ranges, … }, revocations = { id, items, … },
--       violations = { double, inversion, capacity },
--       join time of the person at the head of the line (0: nobody known)
--       or 'noqueue', epoch of the tombstone ('' when the store knows nothing: it has lost all)
--
-- Reads only.
local cfg = call('HMGET', KEYS[1], 'version', 'lanes')
local version = cfg[1]
if not version then return { 'noqueue', epoch_now() } end
local counts, kept = {}, call('HGETALL', key('counts'))
for i = 1, #kept, 2 do counts[kept[i]] = kept[i + 1] end
local lanes, list = {}, lanes_of(cfg[2])
for i = 1, #list do
	local name = list[i].name
	lanes[i * 4 - 3] = name
	lanes[i * 4 - 2] = number(call('GET', key('ticket:' .. name)), 0)
	lanes[i * 4 - 1] = number(counts['gone:' .. name], 0)
	lanes[i * 4] = number(counts['admitted:' .. name], 0)
end
local settings = {}
if version ~= ARGV[2] then settings = call('HGETALL', KEYS[1]) end
local departures = {}
local entries = call('XRANGE', key('departures'), '(' .. ARGV[1], '+', 'COUNT', ARGV[3])
for i = 1, #entries do
	departures[i * 2 - 1] = entries[i][1]
	departures[i * 2] = entries[i][2][2]
end
-- "s <id> <until, s>" for a session, "m <id> <holder>" for a place, "p <id> 1" where sessions of a
-- place are good again, with commas between them.
local revocations = {}
if ARGV[4] and ARGV[4] ~= '' then
	entries = call('XRANGE', key('revocations'), '(' .. ARGV[4], '+', 'COUNT', ARGV[3])
	for i = 1, #entries do
		revocations[i * 2 - 1] = entries[i][1]
		revocations[i * 2] = entries[i][2][2]
	end
end
-- Who has left stays in the list until admission comes by: a few are looked at, no more.
local oldest = 0
for i = 1, #list do
	local nobody = lanes[i * 4 - 2] == lanes[i * 4 - 1]
	local head = nobody and {} or call('LRANGE', key('waiting:' .. list[i].name), '-8', '-1')
	for k = #head, 1, -1 do
		local p = call('HMGET', position_key(head[k]), 's', 'j')
		local joined = p[1] == 'w' and number(p[2], 0) or 0
		if joined > 0 then
			if oldest == 0 or joined < oldest then oldest = joined end
			break
		end
	end
end
return { 'ok', int(now), epoch_now(), counts.lost_epochs or '', counts.rebuild and 1 or 0,
	tonumber(version), call('ZCARD', key('sessions')), call('ZCARD', key('absent')),
	call('ZCARD', key('returned')), call('XLEN', key('outbox')), lanes, settings,
	departures, revocations, { number(counts['violated:double'], 0),
		number(counts['violated:inversion'], 0), number(counts['violated:capacity'], 0) }, oldest }
