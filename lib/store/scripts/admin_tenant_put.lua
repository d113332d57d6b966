-- Makes a tenant or changes it; on the shard system/admin.
--
-- ARGV  tenant, row (JSON), most tenants, audit entry, how many are kept
-- Gives 'created' | 'changed' | 'same' | 'full', 0
--
-- The row gets its "created_ms" here, as its first member, and keeps it.
--
-- Writes: outbox - audit - row.
local tenant = ARGV[1]
local old = some(call('HGET', key('tenants'), tenant))
local created = old and string.match(old, '^{"created_ms":(%d+),') or int(now)
local row = '{"created_ms":' .. created .. ',' .. string.sub(ARGV[2], 2)
if row == old then return { 'same', 0 } end
if not old and call('HLEN', key('tenants')) >= tonumber(ARGV[3]) then return { 'full', 0 } end
audit(ARGV[4], ARGV[5], old)
call('HSET', key('tenants'), tenant, row)
return { old and 'changed' or 'created', 0 }
