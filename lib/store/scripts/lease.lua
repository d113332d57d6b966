-- Takes, renews or gives up a lease: it saves work, it does not make anything safe.
--
-- ARGV  role, owner, milliseconds (0: give up)
-- Gives 1 when the lease is the caller's now, else 0; and its fencing number
local lease, fence = key('lease:' .. ARGV[1]), 'fence:' .. ARGV[1]
local holder = call('GET', lease)
if holder and holder ~= ARGV[2] then
	return { 0, number(call('HGET', key('counts'), fence), 0) }
end
if ARGV[3] == '0' then
	call('DEL', lease)
	return { 0, number(call('HGET', key('counts'), fence), 0) }
end
if not holder then call('HINCRBY', key('counts'), fence, '1') end
call('SET', lease, ARGV[2], 'PX', ARGV[3])
return { 1, number(call('HGET', key('counts'), fence), 0) }
