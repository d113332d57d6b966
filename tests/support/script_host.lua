-- Runs the scripts of lib/store outside Redis, as strictly as the strictest store would.
--
--   lua5.1 script_host.lua     as Redis 7 and Valkey run them
--   lua5.4 script_host.lua     as DragonflyDB runs them: TIME in whole milliseconds that stands
--                              still, scores as floats, and 3.0 is not 3
--
-- The other end is script_host.c. Both sides speak RESP over standard input and output:
--
--   in   RUN name text key now_ms argument…      now_ms 0: ask the store
--   out  a command of redis.call                 in   its reply
--   out  =RESULT value   or   =ERROR sentence    the end of the run
--
-- Refused, with the line in the script: a shebang, a global, a library function that one of the
-- stores lacks, a command that DragonflyDB lacks or whose keys are not known here, a key without
-- the tag of KEYS[1], a number with a fraction or that is a float, as an argument or in the answer,
-- an answer with a hole, a time to live over 2^28 ms, too many commands in one run.
--
-- WR_SCRIPT_COVERAGE=file: at the end, the lines that ran are added to it: "script line".

local CALLS_MAX = 6000 -- the store's only thread is busy for a few ms
local ARGUMENTS_MAX = 4096
local TTL_MAX_MS = 268435455

local is_dragonfly = _VERSION ~= 'Lua 5.1'
local unpack = unpack or table.unpack
local load_text = loadstring or load

-- First and last argument that is a key (negative: from the end), of every command that we use.
local KEYS_OF = {
	TIME = {}, GET = { 1, 1 }, SET = { 1, 1 }, INCRBY = { 1, 1 }, EXISTS = { 1, -1 },
	UNLINK = { 1, -1 }, DEL = { 1, -1 }, RENAME = { 1, 2 }, PEXPIRE = { 1, 1 }, EXPIRE = { 1, 1 },
	PERSIST = { 1, 1 }, PTTL = { 1, 1 },
	HGET = { 1, 1 }, HMGET = { 1, 1 }, HGETALL = { 1, 1 }, HSET = { 1, 1 }, HDEL = { 1, 1 },
	HINCRBY = { 1, 1 }, HEXISTS = { 1, 1 }, HLEN = { 1, 1 },
	SADD = { 1, 1 }, SREM = { 1, 1 }, SCARD = { 1, 1 }, SISMEMBER = { 1, 1 },
	LPUSH = { 1, 1 }, LTRIM = { 1, 1 }, LRANGE = { 1, 1 }, LLEN = { 1, 1 },
	ZADD = { 1, 1 }, ZREM = { 1, 1 }, ZCARD = { 1, 1 }, ZSCORE = { 1, 1 }, ZMSCORE = { 1, 1 },
	ZRANGE = { 1, 1 }, ZRANGEBYSCORE = { 1, 1 }, ZREMRANGEBYRANK = { 1, 1 },
	SETBIT = { 1, 1 }, GETBIT = { 1, 1 }, BITCOUNT = { 1, 1 },
	GETRANGE = { 1, 1 }, SETRANGE = { 1, 1 },
	XADD = { 1, 1 }, XLEN = { 1, 1 }, XRANGE = { 1, 1 }, XDEL = { 1, 1 },
}

local LIBRARY = {
	string = 'byte char find format gmatch gsub len lower match rep reverse sub upper',
	table = 'concat insert remove sort',
	math = 'abs floor max min',
}

-- ---- RESP over the pipes ----

local function send(words)
	local out = { '*' .. #words .. '\r\n' }
	for i = 1, #words do
		out[#out + 1] = '$' .. #words[i] .. '\r\n' .. words[i] .. '\r\n'
	end
	io.write(table.concat(out))
	io.flush()
end

local function receive()
	local line = io.read('*l')
	if not line then return nil, 'end' end
	local kind, rest = string.sub(line, 1, 1), string.sub(line, 2, -2)
	if kind == ':' then return tonumber(rest) end
	if kind == '+' then return { ok = rest } end
	if kind == '-' then return { err = rest } end
	local count = tonumber(rest)
	if count < 0 then return false end
	if kind == '$' then
		local text = count > 0 and io.read(count) or ''
		io.read(2)
		return text
	end
	local list = {}
	for i = 1, count do list[i] = receive() end
	return list
end

local function ask(words)
	send(words)
	return receive()
end

-- ---- rules ----

local function is_whole(n)
	if is_dragonfly then return math.type(n) == 'integer' end
	return n == math.floor(n) and n > -2 ^ 53 and n < 2 ^ 53
end

local function check_keys(prefix, command, words)
	local keys = KEYS_OF[command]
	if not keys then error(command .. ' is not among the commands that every store has', 3) end
	if not keys[1] then return end
	local last = keys[2] < 0 and #words or keys[2] + 1
	for i = keys[1] + 1, last do
		if string.sub(words[i], 1, #prefix) ~= prefix then
			error(words[i] .. ' is a key of another tag than KEYS[1]', 3)
		end
	end
end

local function check_ttl(command, words)
	local ms
	if command == 'PEXPIRE' then ms = words[3] end
	for i = 4, command == 'SET' and #words or 0 do
		if string.upper(words[i]) == 'PX' then ms = words[i + 1] end
	end
	if ms and tonumber(ms) > TTL_MAX_MS then error(ms .. ' ms is longer than 2^28', 3) end
end

local function words_of(...)
	local words, count = {}, select('#', ...)
	if count > ARGUMENTS_MAX then error(count .. ' arguments', 3) end
	for i = 1, count do
		local word = select(i, ...)
		if type(word) == 'number' then
			if not is_whole(word) then error('argument ' .. i .. ' is not whole: ' .. word, 3) end
			word = string.format('%d', word)
		end
		if type(word) ~= 'string' then error('argument ' .. i .. ' is a ' .. type(word), 3) end
		words[i] = word
	end
	return words
end

-- What DragonflyDB gives as doubles.
local function with_floats(command, words, reply)
	if not is_dragonfly then return reply end
	if command == 'ZSCORE' and reply then return tonumber(reply) + 0.0 end
	if command == 'ZMSCORE' then
		for i = 1, #words - 2 do reply[i] = reply[i] and tonumber(reply[i]) + 0.0 end
	elseif string.upper(words[#words]) == 'WITHSCORES' then
		for i = 2, #reply, 2 do reply[i] = tonumber(reply[i]) + 0.0 end
	end
	return reply
end

-- ---- what a script sees ----

local function time_of(now_ms)
	if now_ms == 0 then
		local clock = ask({ 'TIME' })
		now_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
	end
	local seconds = math.floor(now_ms / 1000)
	local micros = (now_ms - seconds * 1000) * 1000
	if is_dragonfly then return { seconds, micros } end
	return { string.format('%d', seconds), string.format('%d', micros) }
end

-- What notes the lines of the script that runs, when that is asked for. Ours are not looked at:
-- that takes most of the time.
local note_line

local function caller(prefix, now_ms)
	local calls = 0
	return function(...)
		debug.sethook()
		local words = words_of(...)
		local command = string.upper(words[1] or '')
		calls = calls + 1
		if calls > CALLS_MAX then error('more than ' .. CALLS_MAX .. ' commands', 2) end
		check_keys(prefix, command, words)
		check_ttl(command, words)
		local reply = command == 'TIME' and time_of(now_ms) or ask(words)
		if type(reply) == 'table' and reply.err then error(reply.err, 2) end
		reply = with_floats(command, words, reply)
		if note_line then debug.sethook(note_line, 'l') end
		return reply
	end
end

local function strict(name, content)
	return setmetatable({}, {
		__index = function(_, key)
			if content[key] == nil then error(name .. key .. ' is not there in every store', 2) end
			return content[key]
		end,
		__newindex = function(_, key) error('global variable ' .. name .. key, 2) end,
	})
end

local function library_of_all()
	local content = {
		tonumber = tonumber, tostring = tostring, type = type, pairs = pairs, ipairs = ipairs,
		select = select, next = next, error = error, assert = assert, unpack = unpack,
	}
	for library, names in pairs(LIBRARY) do
		local functions = {}
		for name in string.gmatch(names, '%a+') do functions[name] = _G[library][name] end
		content[library] = strict(library .. '.', functions)
	end
	return content
end

-- KEYS, ARGV and redis are put in for each run.
local content = library_of_all()
local environment = strict('', content)

-- ---- answers ----

local function encode(value)
	if type(value) == 'string' then return '$' .. #value .. '\r\n' .. value .. '\r\n' end
	if type(value) == 'number' then
		if not is_whole(value) then error('the answer has a number that is not whole: ' .. value, 0) end
		return string.format(':%d\r\n', value)
	end
	if type(value) ~= 'table' then error('the answer has a ' .. type(value), 0) end
	local count, out = 0, {}
	for _ in pairs(value) do count = count + 1 end
	if count ~= #value then error('the answer has a hole or names', 0) end
	for i = 1, count do out[i] = encode(value[i]) end
	return '*' .. count .. '\r\n' .. table.concat(out)
end

-- ---- running ----

local covered, compiled = {}, {}
local coverage_path = os.getenv('WR_SCRIPT_COVERAGE')
local has_coverage = coverage_path and coverage_path ~= ''

local function compile(name, text)
	if string.sub(text, 1, 2) == '#!' then error(name .. ': begins with a shebang', 0) end
	-- DragonflyDB puts the text between 'function f()' and 'end'.
	local wrapped = 'return function()\n' .. text .. '\nend'
	local chunk, message
	if setfenv then
		chunk, message = load_text(wrapped, '=' .. name)
	else
		chunk, message = load_text(wrapped, '=' .. name, 't', environment)
	end
	if not chunk then error(message, 0) end
	local body = chunk()
	if setfenv then setfenv(body, environment) end
	compiled[text] = body
	return body
end

local function run(name, text, key, now_ms, arguments)
	local prefix = string.match(key, '^.-{[^{}]+}:')
	if not prefix then error(key .. ' has no tag', 0) end
	content.KEYS, content.ARGV = { key }, arguments
	content.redis = strict('redis.', { call = caller(prefix, tonumber(now_ms)) })
	local body = compiled[text] or compile(name, text)
	if has_coverage then
		local lines, source = covered[name] or {}, '=' .. name
		covered[name] = lines
		note_line = function(_, line)
			if lines[line - 1] then return end -- whose line it is is expensive to ask
			if debug.getinfo(2, 'S').source == source then lines[line - 1] = true end
		end
		debug.sethook(note_line, 'l')
	end
	local result = { pcall(body) }
	debug.sethook()
	if not result[1] then error(result[2], 0) end
	return '*2\r\n' .. encode('=RESULT') .. encode(result[2])
end

while true do
	local request = receive()
	if not request then break end
	local arguments = {}
	for i = 6, #request do arguments[i - 5] = request[i] end
	local done, answer = pcall(run, request[2], request[3], request[4], request[5], arguments)
	if done then
		io.write(answer)
		io.flush()
	else
		send({ '=ERROR', tostring(answer) })
	end
end

if has_coverage then
	local file = assert(io.open(coverage_path, 'a'))
	for name, lines in pairs(covered) do
		for line in pairs(lines) do file:write(string.format('%s %d\n', name, line)) end
	end
	file:close()
end
