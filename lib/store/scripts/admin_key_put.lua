-- Makes a key of the admin API; on the shard system/admin.
--
-- ARGV  id, row (JSON that begins with its tenant), tenant ('*' all), most keys, audit entry, how many are
--       kept
-- Gives 'ok', now;  'full' | 'taken' | 'notenant', 0
--
-- The row gets its "created_ms" here, as its first member.
--
-- Writes: outbox - audit - row.
local id, row, tenant = ARGV[1], ARGV[2], ARGV[3]
if call('HEXISTS', key('keys'), id) == 1 then return { 'taken', 0 } end
if tenant ~= '*' and tenant ~= 'default' and call('HEXISTS', key('tenants'), tenant) == 0 then
	return { 'notenant', 0 }
end
if call('HLEN', key('keys')) >= tonumber(ARGV[4]) then return { 'full', 0 } end
audit(ARGV[5], ARGV[6])
call('HSET', key('keys'), id, '{"created_ms":' .. int(now) .. ',' .. string.sub(row, 2))
return { 'ok', int(now) }
