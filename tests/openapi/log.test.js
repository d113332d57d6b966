// The lines that running programs write, held against deploy/log.schema.json: of a pod and an admitter
// that serve all kinds of requests at the most talkative level, lose their store and find it again.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { root, Stack, until } from '../support/stack.js';

const ADDRESS = '203.0.113.77';
let stack, lines, tokens;

const visitor = { 'Content-Type': 'application/json', 'X-Forwarded-For': ADDRESS, 'User-Agent': 'secret-agent' };
const ask = async (path, options = {}) => {
	const answer = await fetch(stack.pods[0].url + path, { ...options, headers: { ...visitor, ...options.headers } });
	return { status: answer.status, body: await answer.text() };
};
const json = (text) => {
	try {
		return JSON.parse(text);
	} catch {
		return {};
	}
};

async function visit() {
	const joined = await ask('/enqueue', { method: 'POST', body: JSON.stringify({ queue_id: 'demo', user: { mail: 'zoe@example.com' } }) });
	const { token } = json(joined.body);
	assert.ok(token, joined.body);
	tokens.push(token);
	const bearer = { Authorization: `Bearer ${token}` };
	await ask('/heartbeat', { method: 'POST', headers: bearer });
	await ask('/status', { headers: bearer });
	await ask(`/status?token=${token}`, { headers: { Authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJmYWxzZSI6MX0.AAAA' } });
	await ask(`/nowhere/${token}`);
	await ask('/enqueue', { method: 'POST', body: '{' });
	await ask('/q/default/demo');
	await ask('/authz/nginx');
	await ask('/queues/default/demo', { headers: { 'X-Request-Id': '"}\n{"@timestamp":1' } }).catch(() => {});
	await ask('/leave', { method: 'POST', headers: bearer });
}

before(async () => {
	stack = await Stack.start({
		queues: [{ queue: 'default/demo', capacity: 5, state: 'hold' }], pods: 1, admitters: 1,
		env: { WR_ACCESS_LOG: 'all', WR_LOG_LEVEL: 'debug', WR_TRUSTED_PROXIES: '127.0.0.1' },
	});
	tokens = [];
	await visit();
	const internal = stack.pods[0].internal;
	const admin = { Authorization: `Bearer ${stack.adminKey}`, 'Content-Type': 'application/json' };
	await fetch(`${internal}/admin/v1/queues/default/demo`, { headers: admin });
	await fetch(`${internal}/admin/v1/queues/default/demo`, { headers: { Authorization: 'Bearer wrk_abcdefgh_wrong' } });
	await fetch(`${internal}/metrics`);
	await stack.store.kill();
	await until('the store is missed', async () => (await readFile(stack.pods[0].log, 'utf8')).includes('"store_lost"'));
	await ask('/enqueue', { method: 'POST', body: JSON.stringify({ queue_id: 'demo' }) });
	await stack.store.start();
	await until('the store is back', async () => /"event.action":"store_connected","wr.life".*/.test((await readFile(stack.pods[0].log, 'utf8')).split('"store_lost"').pop()));
	const logs = [stack.pods[0].log, stack.admitters[0].log];
	await stack.stop({ keep: true });
	lines = (await Promise.all(logs.map((log) => readFile(log, 'utf8')))).join('').split('\n').filter(Boolean);
});

after(() => stack?.stop());

test('every line is one of the schema', async () => {
	const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
		json(await readFile(`${root}deploy/log.schema.json`, 'utf8')));
	for (const line of lines)
		assert.ok(validate(JSON.parse(line)), `${line}: ${JSON.stringify(validate.errors)}`);
});

test('the schema finds what does not belong into a line', async () => {
	const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(
		json(await readFile(`${root}deploy/log.schema.json`, 'utf8')));
	const good = json(lines[0]);
	assert.ok(validate(good));
	for (const wrong of [{ 'client.address': ADDRESS }, { 'client.address': '2001:db8:1:2::' }, { token: 'x' }, { 'http.route': 'q/a' },
		{ 'log.level': 'loud' }, { message: '' }, { '@timestamp': '2026-01-31 12:34:56' }, { 'trace.id': 'abc' }])
		assert.ok(!validate({ ...good, ...wrong }), JSON.stringify(wrong));
	assert.ok(!validate({ ...good, 'ecs.version': undefined }));
});

test('all that was asked is there, with the templates of its paths', () => {
	const requests = lines.map(json).filter((line) => line['event.action'] === 'request');
	const seen = new Set(requests.map((line) => `${line['http.request.method']} ${line['http.route']} ${line['http.response.status_code']}`));
	for (const wanted of ['POST /enqueue 201', 'POST /heartbeat 200', 'GET /status 200', 'GET other 404', 'POST /enqueue 400', 'GET /q/{}/{} 200',
		'POST /leave 200', 'POST /enqueue 503', 'GET /admin/v1/queues/{}/{} 200', 'GET /admin/v1/queues/{}/{} 401', 'GET /metrics 200'])
		assert.ok(seen.has(wanted), `${wanted} is not among ${[...seen]}`);
	const networks = new Set(requests.filter((line) => line['http.route'] === '/heartbeat').map((line) => line['client.address']));
	assert.deepEqual([...networks], ['203.0.113.0']);
});

test('no line has a token, a key, an address or what a visitor has sent', () => {
	assert.ok(tokens.length > 0);
	for (const line of lines)
		for (const secret of [...tokens, 'eyJ', 'wrk_', ADDRESS, 'zoe@example.com', 'secret-agent'])
			assert.ok(!line.includes(secret), line);
});

test('a process says who it is, and that it came and went', () => {
	const words = lines.map(json);
	for (const program of ['waitingroom-api', 'waitingroom-admitter']) {
		const own = words.filter((line) => line['service.name'] === program);
		assert.equal(new Set(own.map((line) => line['service.instance.id'])).size, 1);
		assert.ok(own.some((line) => line['event.action'] === 'started'));
		assert.equal(own.at(-1)['event.action'], 'stopped');
	}
});
