// Does contract.js see what is wrong? One good exchange, and what becomes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contract } from './contract.js';

const contract = new Contract();
const place = {
	status: 'waiting', queue_id: 'default/demo', position_id: '0ol-7ZNuNmyDuqFY', position: 2, ahead: 1, waiting: 9,
	estimated_wait_s: { low: 60, high: 120 }, paused: false, message: '', poll_after_ms: 1888, hold_ms: 300000,
	as_of_ms: 1795266391228,
};
const good = {
	server: 'public', method: 'POST', target: '/heartbeat?queue=demo', requestHeaders: [['Authorization', 'Bearer a.b.c']],
	requestBody: Buffer.alloc(0), status: 200, body: Buffer.from(JSON.stringify(place)),
	headers: [['Content-Type', 'application/json'], ['X-Request-Id', 'a-1'], ['Cache-Control', 'no-store'], ['Date', 'now']],
};
const problem = (more) => ({
	...good, status: 503,
	headers: [['Content-Type', 'application/problem+json'], ['X-Request-Id', 'a-1'], ['Cache-Control', 'no-store'], ['Retry-After', '4']],
	body: Buffer.from(JSON.stringify({
		type: 'urn:x', title: 'Service Unavailable', status: 503, detail: 'Later.', code: 'busy', request_id: 'a-1',
		retry_after_ms: 4000, ...more,
	})),
});
const withPlace = (more) => ({ ...good, body: Buffer.from(JSON.stringify({ ...place, ...more })) });
const withHeader = (name, value) => ({ ...good, headers: [...good.headers, [name, value]] });
const without = (name) => ({ ...good, headers: good.headers.filter(([each]) => each !== name) });

test('a good exchange is found good', () => {
	assert.deepEqual(contract.complaints(good), []);
	assert.deepEqual(contract.complaints(problem({})), []);
});

const planted = [
	['an unknown path', { ...good, target: '/heartbeats' }, /not documented, and was answered with 200/],
	['a path of the other port', { ...good, server: 'internal' }, /not documented, and was answered/],
	['an unknown method', { ...good, method: 'PUT' }, /not documented, and was answered/],
	['a status of its own', { ...good, status: 202 }, /status 202/],
	['a header of its own', withHeader('X-Powered-By', 'C'), /X-Powered-By is not documented/],
	['a header twice', withHeader('X-Request-Id', 'b'), /comes 2 times/],
	['a header with a strange value', withHeader('Set-Cookie', 'wr-place-demo=x'), /header set-cookie/],
	['a missing header', without('X-Request-Id'), /x-request-id is missing/],
	['a missing content type', without('Content-Type'), /Content-Type is missing/],
	['a member of its own', withPlace({ mood: 'good' }), /mood|unevaluated/],
	['a member of another type', withPlace({ position: '2' }), /position/],
	['a missing member', withPlace({ hold_ms: undefined }), /hold_ms/],
	['a member of a member', withPlace({ estimated_wait_s: { low: 1, high: 2, mean: 1 } }), /estimated_wait_s/],
	['no JSON at all', { ...good, body: Buffer.from('{') }, /is not JSON/],
	['text that is not UTF-8', { ...good, body: Buffer.from([0x22, 0xff, 0x22]) }, /is not JSON/],
	["a problem with another's status", problem({ status: 500 }), /status is 500/],
	["a problem with another's id", problem({ request_id: 'b' }), /request_id/],
	['a problem with another patience', problem({ retry_after_ms: 1 }), /differ/],
	['a problem with an unknown code', problem({ code: 'oops' }), /code/],
	['a request parameter that is not documented', { ...good, target: '/heartbeat?colour=red' }, /colour/],
	['a request parameter with a strange value', { ...good, target: '/heartbeat?queue=A' }, /queue "A"/],
];
for (const [what, exchange, expected] of planted)
	test(`${what} is complained about`, () => {
		assert.match(contract.complaints(exchange).join('\n'), expected);
	});

test('a body that the document does not allow is complained about when it was accepted', () => {
	const join = { ...good, target: '/enqueue', status: 201, requestHeaders: [['Content-Type', 'application/json']],
		body: Buffer.from(JSON.stringify({ ...place, token: 'a.b.c' })) };
	const accepted = (body) => contract.complaints({ ...join, requestBody: Buffer.from(body) });
	assert.deepEqual(accepted('{"queue_id":"demo"}'), []);
	assert.match(accepted('{"queue_id":"demo","colour":"red"}').join(), /went with a body/);
	assert.match(accepted('').join(), /without a body/);
});

test('secrets in an answer are complained about', () => {
	const details = {
		queue: 'a/b', version: 1, settings: { captcha_secret: 'x' },
		now: { active: 0, absent: 0, returned: 0, outbox: 0, recovering: false, lanes: [] },
	};
	const read = { ...good, server: 'internal', method: 'GET', target: '/admin/v1/queues/a/b', body: Buffer.from(JSON.stringify(details)) };
	assert.match(contract.complaints(read).join(), /captcha_secret/);
});
