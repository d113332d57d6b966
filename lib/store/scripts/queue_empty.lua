-- Ends the wait of everybody in line, some people a call; the queue stays as it is.
--
-- ARGV  limit, epoch that is meant, how far ('' at first, then what the last call gave), with the first
--       call: audit entry, how many are kept
-- Gives 'more' (call again) | 'done', expired, how far;  or 'conflict' when it is another queue of
--       that name, 'recovering' while people who are in line are not all known, 'noqueue'
--
-- "How far" is the last ticket of each lane when the order was given, "main:812,vip:40": who joins
-- while the steps run is not meant. First the lanes, list and restored, then those who were set
-- aside or came back, so that nobody who is set aside between two steps is forgotten; who is that
-- and joined a moment ago goes with them.
--
-- Writes: outbox (audit, expired) - position hashes, with the reason - sets, heartbeats last -
-- lists - bitmap and counts. An expired letter without the rest is dropped from its list by the
-- next call or by admit, and from its sets by reap.
local cfg = call('HMGET', KEYS[1], 'version', 'lanes', 'ended_keep_ms')
if not cfg[1] then return { 'noqueue' } end
local epoch = epoch_now()
if ARGV[2] ~= epoch then return { 'conflict' } end
if call('HGET', key('counts'), 'rebuild') then return { 'recovering' } end
local left, keep, lanes = tonumber(ARGV[1]), int(number(cfg[3], 3600000)), lanes_of(cfg[2])
local bound, highest, told = {}, 0, {}
for i = 1, #lanes do
	local name = lanes[i].name
	local last = number(call('GET', key('ticket:' .. name)), 0)
	if ARGV[3] ~= '' then
		local before = string.match(',' .. ARGV[3] .. ',', ',' .. string.gsub(name, '%-', '%%-') .. ':(%d+),')
		last = tonumber(before or 0)
	end
	bound[name], told[i] = last, name .. ':' .. int(last)
	highest = math.max(highest, last)
end

local lines, ended, seen, departed = {}, {}, {}, {}
local function expire(id, p, in_line)
	if seen[id] or p[1] ~= 'w' then return end
	seen[id] = true
	lines[#lines + 1] = named(id, p[6]) .. ' ' .. p[2] .. ' ' .. p[3] .. ' emptied'
	ended[#ended + 1] = id
	if in_line then departs(departed, p[2], tonumber(p[3])) end
end
local function look(id) return call('HMGET', position_key(id), 's', 'l', 't', 'a', 'b', 'n') end

local trims, drops = {}, {}
for i = 1, #lanes do
	local name = lanes[i].name
	local ids = left > 0 and call('LRANGE', key('waiting:' .. name), int(-left), '-1') or {}
	local used = 0
	for k = #ids, 1, -1 do
		local p = look(ids[k])
		if p[1] and tonumber(p[3] or 0) > bound[name] then break end
		used = used + 1
		expire(ids[k], p, not p[4] and not p[5])
	end
	left = left - used
	if used > 0 then trims[name] = used end
	ids = left > 0 and call('ZRANGEBYSCORE', key('restored:' .. name), '-inf', int(bound[name]),
		'LIMIT', '0', int(left)) or {}
	for k = 1, #ids do expire(ids[k], look(ids[k]), true) end
	left = left - #ids
	if #ids > 0 then drops['restored:' .. name] = ids end
end
for _, set in ipairs({ 'absent', 'returned' }) do
	local ids = left > 0 and call('ZRANGEBYSCORE', key(set), '-inf', int(highest), 'LIMIT', '0',
		int(left)) or {}
	for k = 1, #ids do expire(ids[k], look(ids[k]), false) end
	left = left - #ids
	if #ids > 0 then drops[set] = ids end
end

audit(ARGV[4], ARGV[5])
tell('expired', epoch, lines)
for i = 1, #ended do finish(position_key(ended[i]), 'x', keep, 'emptied') end
for set, ids in pairs(drops) do call('ZREM', key(set), unpack(ids)) end
if #ended > 0 then
	call('ZREM', key('absent'), unpack(ended))
	call('ZREM', key('returned'), unpack(ended))
	call('ZREM', key('heartbeats'), unpack(ended))
end
for name, used in pairs(trims) do call('LTRIM', key('waiting:' .. name), '0', int(-used - 1)) end
depart(departed)
count('expired', #ended)
return { left == 0 and 'more' or 'done', #ended, table.concat(told, ',') }
