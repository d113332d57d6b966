-- Tenants and how many queues they have; on the shard system/admin.
--
-- ARGV  tenant, '' for all of them
-- Gives 'ok', now, then per tenant: name, row (JSON, '' for one that nobody has described), queues
--
-- 'default' is always there. Reads only. There are at most WR_TENANTS_MAX.
local answer, has_default = { 'ok', int(now) }, false
local function add(name, row)
	local at = #answer
	has_default = has_default or name == 'default'
	answer[at + 1], answer[at + 2], answer[at + 3] = name, row, int(call('SCARD', key('queues:' .. name)))
end
if ARGV[1] ~= '' then
	local row = some(call('HGET', key('tenants'), ARGV[1]))
	if row or ARGV[1] == 'default' then add(ARGV[1], row or '') end
	return answer
end
local rows = call('HGETALL', key('tenants'))
for i = 1, #rows, 2 do add(rows[i], rows[i + 1]) end
if not has_default then add('default', '') end
return answer
