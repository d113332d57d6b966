--[[
Asks the waiting room whether a request may pass: the http-request action "waitingroom_ask".

    http-request lua.waitingroom_ask <address of the gate> <tenant/queue>

Yes: the request goes on, with X-WaitingRoom-Session and -State for the site; txn.wr_cookie is the
cookie of a session that is used and therefore goes on. No: the waiting room's answer (redirect or
401) is the visitor's, as it is. No answer, or one that is neither: txn.wr_gate is "down" and the
configuration decides.

The frontend has set X-Forwarded-For, -Proto and -Host before; they are sent as they are then.
]]

local TIMEOUT_MS = 3000 -- longer than the retries of the backend behind the gate

-- Of the connection and the body, not of the question.
local not_asked = {
	["connection"] = true, ["content-length"] = true, ["expect"] = true, ["keep-alive"] = true,
	["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
	["x-forwarded-method"] = true, ["x-forwarded-uri"] = true,
}
-- HAProxy writes these itself.
local not_answered = {
	["connection"] = true, ["content-length"] = true, ["keep-alive"] = true,
	["transfer-encoding"] = true,
}

local function question(txn)
	local headers = {}
	for name, values in pairs(txn.http:req_get_headers()) do
		if not not_asked[name] then
			headers[name] = {}
			for _, value in pairs(values) do
				table.insert(headers[name], value)
			end
		end
	end
	-- HTTP/2 may bring the cookies one by one.
	if headers["cookie"] then
		headers["cookie"] = { table.concat(headers["cookie"], "; ") }
	end
	headers["x-forwarded-method"] = { txn.f:method() }
	headers["x-forwarded-uri"] = { txn.f:pathq() }
	return headers
end

local function first(answer, name)
	local values = answer.headers[name]
	return values and (values[0] or values[1])
end

local function let_pass(txn, answer)
	for _, name in ipairs({ "x-waitingroom-session", "x-waitingroom-state" }) do
		local value = first(answer, name)
		if value then
			txn.http:req_set_header(name, value)
		end
	end
	local cookie = first(answer, "set-cookie")
	if cookie then
		txn:set_var("txn.wr_cookie", cookie)
	end
end

local function refuse(txn, answer)
	local reply = txn:reply({ status = answer.status, body = answer.body })
	for name, values in pairs(answer.headers) do
		if not not_answered[name] then
			for _, value in pairs(values) do
				reply:add_header(name, value)
			end
		end
	end
	txn:done(reply)
end

core.register_action("waitingroom_ask", { "http-req" }, function(txn, gate, queue)
	local answer = core.httpclient():get({
		url = "http://" .. gate .. "/authz/forward?queue=" .. queue,
		headers = question(txn),
		timeout = TIMEOUT_MS,
	})
	local status = answer and answer.status or 0
	if status == 200 then
		let_pass(txn, answer)
	elseif status >= 300 and status < 500 then
		refuse(txn, answer)
	else
		txn:set_var("txn.wr_gate", "down")
	end
end, 2)
