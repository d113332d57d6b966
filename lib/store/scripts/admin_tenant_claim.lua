-- A queue of a tenant is about to be made: is there such a tenant, and may it have one more? On the
-- shard system/admin, so it is not one step with making the queue: the name is on the tenant's list
-- before the queue is there, and until it has gone.
--
-- ARGV  'claim', or 'make': also makes the tenant, and no limit holds; tenant, queue, most queues of a
--       tenant that says nothing itself
-- Gives 'ok', how many it has now;  'full', how many it may have;  or 'notenant', 0
--
-- Repeating is fine. Writes: row of the tenant - list.
local how, tenant, queue = ARGV[1], ARGV[2], ARGV[3]
local row = some(call('HGET', key('tenants'), tenant))
local most = tonumber(string.match(row or '', '^{"created_ms":%d+,"queues_max":(%d+)') or ARGV[4])
if not row and how == 'make' then
	call('HSET', key('tenants'), tenant, '{"created_ms":' .. int(now) .. ',"queues_max":' .. int(most)
		.. ',"title":"","note":""}')
elseif not row and tenant ~= 'default' then
	return { 'notenant', 0 }
end
local list = key('queues:' .. tenant)
if how ~= 'make' and call('SISMEMBER', list, queue) == 0 and call('SCARD', list) >= most then
	return { 'full', most }
end
call('SADD', list, queue)
return { 'ok', call('SCARD', list) }
