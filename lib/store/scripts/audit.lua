-- Writes down what an operator does where that is not one step, or changes nothing here.
--
-- ARGV  entry (JSON), how many are kept
-- Gives 'ok', now;  or 'noqueue' where there is no queue of that name
--
-- On the shard system/admin there never is a queue, and always something to write down.
--
-- Writes: outbox - audit.
if not some(call('HGET', KEYS[1], 'version')) and Q ~= 'wr:{system/admin}:' then return { 'noqueue' } end
audit(ARGV[1], ARGV[2])
return { 'ok', int(now) }
