-- Takes a key of the admin API away: from this moment on it opens nothing; on the shard
-- system/admin.
--
-- ARGV  id, audit entry, how many are kept
-- Gives 'ok', now;  or 'nokey', 0
--
-- Writes: outbox - audit - row - when it was last used.
if call('HEXISTS', key('keys'), ARGV[1]) == 0 then return { 'nokey', 0 } end
audit(ARGV[2], ARGV[3])
call('HDEL', key('keys'), ARGV[1])
call('HDEL', key('keys_used'), ARGV[1])
return { 'ok', int(now) }
