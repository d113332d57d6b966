// Requests that nobody honest would send, made from the contract by chance: values that its schemas
// forbid, members that are missing, doubled or of another type, broken JSON, tokens that are cut or
// belong elsewhere. Every answer must be one that the contract has, none a failure of ours, and the
// pod must be as well at the end as at the beginning.
//
//   WR_TEST_SEED=…     the same requests again; the seed is printed
//   WR_TEST_HOSTILE=…  how many of each operation
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { Stack } from '../support/stack.js';
import { Contract } from './contract.js';
import { resolve } from './document.js';

const seed = Number(process.env.WR_TEST_SEED ?? Date.now() % 2 ** 32);
const each = Number(process.env.WR_TEST_HOSTILE ?? 80);
const contract = new Contract();
let stack, tokens;

// ---- chance (mulberry32) ----

let state = seed;
function chance() {
	state = (state + 0x6d2b79f5) | 0;
	let mixed = Math.imul(state ^ (state >>> 15), state | 1);
	mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
	return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (count) => Math.floor(chance() * count);
const pick = (list) => list[below(list.length)];
const rarely = (probability) => chance() < probability;

// ---- values ----

const texts = () => pick(['', ' ', '\0', '\u202e', '😀', 'a'.repeat(300), 'x'.repeat(3000), '../../etc/passwd', '%00', '%2e%2e%2f', "';--",
	'<script>', 'default/demo', 'DEFAULT/demo', '/', '//evil.example', 'https://evil.example/', 'http:\\\\evil', 'wr:{default/demo}:settings',
	'null', '0', '-1', '\r\nSet-Cookie: a=b', 'ü', '\ud800', String(below(1e6))]);
const numbers = () => pick([0, -1, 1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 63, -(2 ** 63), 4294967296, below(1e6)]);

function deep(levels) {
	let value = 1;
	for (let i = 0; i < levels; i++) value = rarely(0.5) ? [value] : { a: value };
	return value;
}
const anything = () => pick([() => null, () => true, numbers, texts, () => [], () => ({}), () => [texts(), numbers()], () => ({ [texts()]: texts() }), () => deep(pick([3, 40, 400]))])();

// Something that the schema allows, more or less.
function plausible(given, depth = 0) {
	const schema = resolve(contract.document, given) ?? {};
	if ('const' in schema) return schema.const;
	if (schema.enum) return pick(schema.enum);
	const several = schema.oneOf ?? schema.anyOf;
	if (several) return plausible(pick(several), depth);
	if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => plausible(part, depth)));
	const type = Array.isArray(schema.type) ? pick(schema.type) : schema.type ?? (schema.properties ? 'object' : 'string');
	if (type === 'null') return null;
	if (type === 'boolean') return rarely(0.5);
	if (type === 'integer' || type === 'number') return (schema.minimum ?? 0) + below(Math.min((schema.maximum ?? 1000) - (schema.minimum ?? 0), 1e6) + 1);
	if (type === 'array') return depth > 4 ? [] : [...Array(below(3))].map(() => plausible(schema.items, depth + 1));
	if (type === 'object')
		return Object.fromEntries(Object.entries(schema.properties ?? {})
			.filter(([name]) => schema.required?.includes(name) || rarely(0.4)).map(([name, part]) => [name, depth > 4 ? null : plausible(part, depth + 1)]));
	return schema.examples ? String(pick(schema.examples)) : pick(['demo', 'default/demo', 'main', 'a', 'AAAAAAAAAAAAAAAA', 'https://shop.example/']);
}

// The same with something wrong in it.
function spoiled(value) {
	if (rarely(0.15)) return anything();
	if (Array.isArray(value)) return value.length && rarely(0.6) ? value.map((one) => (rarely(0.5) ? spoiled(one) : one)) : [...value, ...Array(pick([1, 40, 300])).fill(anything())];
	if (value && typeof value === 'object') {
		const copy = { ...value };
		const names = Object.keys(copy);
		if (!names.length || rarely(0.2)) copy[texts() || 'more'] = anything();
		else if (rarely(0.25)) delete copy[pick(names)];
		else {
			const name = pick(names);
			copy[name] = spoiled(copy[name]);
		}
		return copy;
	}
	return rarely(0.3) ? anything() : typeof value === 'number' ? numbers() : texts();
}

function bodyOf(content, type) {
	const value = spoiled(plausible(content[type]?.schema ?? Object.values(content)[0].schema));
	if (type === 'application/x-www-form-urlencoded')
		return Buffer.from(new URLSearchParams(Object.entries(value ?? {}).map(([name, one]) => [name, String(one)])).toString());
	const bytes = Buffer.from(typeof value === 'string' && !/json/.test(type) ? value : JSON.stringify(value) ?? '');
	if (rarely(0.1)) return bytes.subarray(0, below(bytes.length + 1));
	if (rarely(0.1)) return Buffer.concat([bytes, Buffer.from(pick([[0xff, 0xfe], [0], [0xed, 0xa0, 0x80], [0x7d]]))]);
	return rarely(0.05) ? Buffer.from(`{"a":1,"a":${bytes}}`) : bytes;
}

// ---- requests ----

const credentials = () => pick([() => undefined, () => 'Bearer', () => `Bearer ${texts().replace(/[^\x21-\x7e]/g, '')}`,
	() => `Bearer ${pick(tokens)}`, () => `Bearer ${pick(tokens).slice(0, -below(60) - 1)}`,
	() => `Bearer ${pick(tokens).split('.').reverse().join('.')}`, () => `Bearer ${stack.adminKey}`, () => 'Basic YTpi'])();
// By way of bytes, which have no lone surrogates.
const escaped = (value) => encodeURIComponent(Buffer.from(String(value)).toString());
const visible = (text) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 2000);
const segments = ['default', 'demo', 'none', 'other', 'DEMO', '%2e%2e', '%00', 'a'.repeat(64), '%F0%9F%98%80', '-', '%7Bx%7D', 'vip'];

const asProxiesSay = [
	['X-Forwarded-Proto', () => 'http'], ['X-Forwarded-Host', () => 'localhost'], ['X-Forwarded-Uri', () => pick(['/', '/a?wr_pass=x', `/a?wr_pass=${pick(tokens)}`])],
	['X-Forwarded-Method', () => pick(['GET', 'POST', 'PURGE'])], ['X-Original-URL', () => `http://localhost${pick(['/', '/a?wr_pass=x'])}`],
	['X-Original-Method', () => pick(['GET', 'HEAD', 'POST'])], ['X-WaitingRoom-Token', () => pick(tokens)],
	['Accept', () => 'text/html'], ['Sec-Fetch-Mode', () => pick(['navigate', 'cors'])],
];

function build({ path, method, operation, parameters, server }) {
	const filled = path.replace('/{rest}', () => pick(['/', '/shop', '/shop?a=b', `/${escaped(texts())}`]))
		.replace(/\{[^}]+\}/g, () => (rarely(0.6) ? null : pick(segments)) ?? 'demo').replace('/demo/demo', '/default/demo');
	const query = parameters.filter((one) => one.in === 'query' && rarely(0.7))
		.map((one) => `${one.name}=${escaped(rarely(0.5) ? plausible(one.schema) : texts())}`);
	const headers = {};
	for (const one of parameters.filter((each) => each.in === 'header' && rarely(0.7)))
		headers[one.name] = visible(String(rarely(0.5) ? plausible(one.schema) : texts()));
	if (path.startsWith('/authz/'))
		for (const [name, honest] of asProxiesSay)
			if (rarely(0.8)) headers[name] = rarely(0.7) ? honest() : visible(texts());
	const bearer = server === 'internal' && rarely(0.7) ? `Bearer ${stack.adminKey}` : credentials();
	if (bearer !== undefined) headers.Authorization = bearer;
	if (rarely(0.3)) headers.Cookie = `wr-place-demo=${pick(tokens)}; wr-session-demo=${pick(tokens)}`;
	if (rarely(0.2)) headers.Origin = pick(['null', 'https://evil.example', stack.site]);
	let body = Buffer.alloc(0);
	if (operation.requestBody && rarely(0.95)) {
		const { content } = resolve(contract.document, operation.requestBody);
		const type = pick(Object.keys(content));
		body = bodyOf(content, type);
		if (rarely(0.9)) headers['Content-Type'] = rarely(0.9) ? type : pick(['text/html', 'application/xml', 'application/json; charset=utf-16', 'a']);
	}
	const wanted = operation['x-any-method'] ? pick(['GET', 'POST', 'PUT', 'DELETE']) : method.toUpperCase();
	return { server, method: wanted, target: filled + (query.length ? `?${query.join('&')}` : ''), headers, body };
}

// What does not fit into WR_CONNECTION_MEMORY_BYTES is refused by libmicrohttpd itself, which near that
// limit (from about 6.0 kB of 7) writes the head of its 431 twice, or closes without a word: not ours to
// answer, and the parser here would stumble. http_guard_wire.c looks at what is far beyond.
const HEAD_BYTES = 5500;
const headBytes = ({ method, target, headers }) => method.length + target.length +
	Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);

function buildFitting(operation) {
	for (;;) {
		const asked = build(operation);
		if (headBytes(asked) <= HEAD_BYTES) return asked;
	}
}

// Whoever has not shown a key is not listened to for a megabyte: the line is closed behind the answer,
// which this client does not read any more once a write has failed.
const isCutOff = ({ code }, body) => body.length > 65536 && ['EPIPE', 'ECONNRESET'].includes(code);

function send({ server, method, target, headers, body }) {
	const base = new URL(server === 'internal' ? stack.pods[0].internal : stack.pods[0].url);
	return new Promise((done, failed) => {
		const asked = request({ host: base.hostname, port: base.port, method, path: target, agent: false,
			headers: { ...headers, ...(body.length || method !== 'GET' ? { 'Content-Length': body.length } : {}) } }, (answer) => {
			const chunks = [];
			answer.on('data', (chunk) => chunks.push(chunk)).on('error', failed).on('end', () => {
				const raw = answer.rawHeaders;
				done({ server, method, target, requestHeaders: Object.entries(headers), requestBody: body, status: answer.statusCode,
					headers: raw.flatMap((name, i) => (i % 2 ? [] : [[name, raw[i + 1]]])), body: Buffer.concat(chunks) });
			});
		});
		asked.on('error', (error) => (isCutOff(error, body) ? done(undefined) : failed(error))).setTimeout(10000, () => asked.destroy(new Error('no answer within 10 s')));
		asked.end(body);
	});
}

before(async () => {
	stack = await Stack.start({ queues: [{ queue: 'default/demo', capacity: 1 }, { queue: 'default/vip', challenge: 'pow', entry: 'open' }], pods: 1, admitters: 1 });
	const join = async () => (await fetch(`${stack.pods[0].url}/enqueue`, {
		method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"queue_id":"demo"}' })).json();
	const [inside, waiting] = [await join(), await join()];
	tokens = [inside.session_token, inside.token, waiting.token].filter(Boolean);
	assert.equal(tokens.length, 3);
});
after(() => stack?.stop());

for (const operation of contract.operations)
	test(`${operation.operation.operationId} answers hostile requests as the contract says`, async (context) => {
		const wrong = [], statuses = {};
		for (let i = 0; i < each; i++) {
			const asked = buildFitting(operation);
			const answer = await send(asked);
			if (!answer) {
				statuses.cut = (statuses.cut ?? 0) + 1;
				continue;
			}
			const complaints = contract.answerComplaints(answer);
			statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
			if (answer.status >= 500 && answer.status !== 503) complaints.push('is a failure of ours');
			if (complaints.length)
				wrong.push(`${asked.method} ${asked.target} ${JSON.stringify(asked.headers)} ${asked.body.toString().slice(0, 300)}\n    ${answer.status}: ${complaints.join('; ').slice(0, 500)}`);
		}
		context.diagnostic(`seed ${seed}, ${JSON.stringify(statuses)}`);
		assert.equal(wrong.length, 0, `\n${wrong.slice(0, 5).join('\n')}\n(${wrong.length} of ${each}, seed ${seed})`);
	});

test('the pod is well afterwards, and has found no bug in itself', async () => {
	assert.ok(stack.pods[0].isRunning);
	assert.equal((await fetch(`${stack.pods[0].internal}/readyz`)).status, 200);
	const metrics = await (await fetch(`${stack.pods[0].internal}/metrics`)).text();
	assert.match(metrics, /^wr_bugs_total 0$/m);
});
