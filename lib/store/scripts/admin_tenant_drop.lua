-- Takes a tenant away that has no queues, and its keys with it: a tenant of that name that is made
-- later is somebody else's; on the shard system/admin.
--
-- ARGV  tenant, audit entry, how many are kept
-- Gives 'ok', keys;  'queues', how many;  or 'notenant', 0
--
-- Writes: outbox - audit - keys - row.
local tenant = ARGV[1]
local old = some(call('HGET', key('tenants'), tenant))
if not old then return { 'notenant', 0 } end
local queues = call('SCARD', key('queues:' .. tenant))
if queues > 0 then return { 'queues', queues } end
audit(ARGV[2], ARGV[3], old)
local rows, dropped = call('HGETALL', key('keys')), 0
for i = 1, #rows, 2 do
	if string.match(rows[i + 1], '^{"created_ms":%d+,"tenant":"([^"]*)"') == tenant then
		call('HDEL', key('keys'), rows[i])
		call('HDEL', key('keys_used'), rows[i])
		dropped = dropped + 1
	end
end
call('HDEL', key('tenants'), tenant)
return { 'ok', dropped }
