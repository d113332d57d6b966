-- A key of the admin API, for whoever presents it; on the shard system/admin.
--
-- ARGV  id of the key
-- Gives 'ok', now, row (JSON), when it was last used (ms, 0: never yet);  or 'nokey'
--
-- Reads only: that it was used is noted when its secret has been found right (store_note_key_used).
local row = call('HGET', key('keys'), ARGV[1])
if not row then return { 'nokey' } end
return { 'ok', int(now), row, int(number(call('HGET', key('keys_used'), ARGV[1]), 0)) }
