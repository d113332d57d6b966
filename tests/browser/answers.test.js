// What the page makes of answers that a real server gives only rarely, or only after hours: the page
// and its policy come from a pod, what it asks for is answered here.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bigOf, headingOf, openRoom, stateOf, until, untilState } from './browser.js';

const room = await openRoom({
	queues: [
		{ queue: 'default/demo', state: 'hold' },
		...['turnstile', 'hcaptcha', 'friendly'].map((challenge) => ({
			queue: `default/${challenge}`, state: 'hold', challenge, captcha_site_key: 'site-key', captcha_secret: 'secret',
		})),
	],
});

let places = 0;
const place = (more) => ({
	status: 200,
	json: {
		status: 'waiting', queue_id: 'default/demo', position_id: `place-${places}`, position: 41, ahead: 40, waiting: 100,
		paused: false, message: '', hold_ms: 300000, as_of_ms: Date.now(), estimated_wait_s: { low: 600, high: 900 },
		poll_after_ms: 300, ...more,
	},
});
const admitted = (more) => ({
	status: 200,
	json: {
		status: 'admitted', queue_id: 'default/demo', position_id: `place-${places}`, message: '', enter_within_ms: 600000,
		as_of_ms: Date.now(), redirect_url: null, poll_after_ms: 300, ...more,
	},
});
const problem = (status, code, more, headers) => ({
	status, headers, contentType: 'application/problem+json',
	body: JSON.stringify({ type: 'about:blank', title: code, status, code, request_id: 'req-1', ...more }),
});
const none = { status: 204 };

// Answers by the last part of the path; each may be changed at any time. Calls are kept.
async function scene(visitor, api, { noWorker, ...how } = {}) {
	places++;
	const made = await visitor({ mayFail: true, ...how });
	const calls = [];
	await made.context.route(/\/(heartbeat|enqueue|leave)(\?|$)/, async (route) => {
		const request = route.request();
		const [, name] = /\/(\w+)(?:\?|$)/.exec(new URL(request.url()).pathname);
		const call = { name, query: new URL(request.url()).searchParams, body: request.postDataJSON(), key: await request.headerValue('idempotency-key'), cookie: await request.headerValue('cookie') };
		calls.push(call);
		await route.fulfill(api[name](call)).catch(() => {}); // the page may be gone
	});
	if (noWorker) await made.context.route(/room-worker/, (route) => route.fulfill({ status: 404 }));
	const page = await made.tab();
	await page.clock.install(); // runs as ever, until a test lets time pass
	return { made, page, calls, of: (name) => calls.filter((call) => call.name === name) };
}

const shown = (page, id) => page.evaluate((id) => (document.getElementById(id).hidden ? '' : document.getElementById(id).textContent), id);
const url = (query = '') => `${room.url}/q/default/demo${query}`;
const setHidden = (page, isHidden) => page.evaluate((isHidden) => {
	Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (isHidden ? 'hidden' : 'visible') });
	document.dispatchEvent(new Event('visibilitychange'));
}, isHidden);
const polls = (count, calls) => until(`${count} more polls`, ((from) => () => calls.length >= from + count)(calls.length));

const challenge = { kind: 'pow', challenge: `v1.${'a'.repeat(90)}`, puzzles: 20, bits: 12, expires_in_ms: 600000, wait_ms: 500 };
const isSolved = ({ body }) => body.solution?.length === challenge.puzzles && body.solution.every((n, i) =>
	createHash('sha256').update(`${challenge.challenge}:${i}:${n}`).digest().readUInt16BE(0) >> 4 === 0);

room.test('the proof of work rests while nobody looks, holds, and keeps the key of the join', async ({ visitor }) => {
	let isIn = false;
	const { page, of } = await scene(visitor, {
		heartbeat: () => (isIn ? place() : none),
		enqueue: (call) => (isIn = isSolved(call)) ? place({ token: 'x' }) : problem(403, 'challenge_required', { challenge: { ...challenge, bits: call.body.solution ? 1 : 12 } }),
	});
	await page.addInitScript(() => Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' }));
	await page.goto(url());
	await untilState(page, 'challenge');
	assert.equal(await bigOf(page), '0%');
	await setHidden(page, false);
	await untilState(page, 'waiting');
	assert.equal(of('enqueue').length, 2);
	assert.equal(of('enqueue')[0].key, of('enqueue')[1].key);
	assert.equal(of('enqueue')[1].body.challenge, challenge.challenge);
});

room.test('without a worker the page waits instead of solving, and polls all the same', async ({ visitor }) => {
	let isIn = false;
	const { page, calls } = await scene(visitor, {
		heartbeat: () => (isIn ? place() : none),
		enqueue: ({ body }) => (isIn = body.challenge !== undefined) ? place({ token: 'x' }) : problem(403, 'challenge_required', { challenge }),
	}, { noWorker: true });
	await page.goto(url());
	await untilState(page, 'waiting');
	await polls(4, calls);
});

// What the providers' scripts do, as far as the page can see.
const providers = {
	turnstile: [/^https:\/\/challenges\.cloudflare\.com\//, "const box = document.querySelector('.cf-turnstile'); self[box.dataset.callback](box.dataset.sitekey + ' done')"],
	hcaptcha: [/^https:\/\/js\.hcaptcha\.com\//, "const box = document.querySelector('.h-captcha'); self[box.dataset.callback](box.dataset.sitekey + ' done')"],
	friendly: [/^https:\/\/cdn\.jsdelivr\.net\//, "const box = document.querySelector('.frc-captcha'); box.dispatchEvent(new CustomEvent('frc:widget.complete', { detail: { response: box.dataset.sitekey + ' done' } }))"],
};
for (const [kind, [address, body]] of Object.entries(providers))
	room.test(`the script of ${kind} is fetched when it is asked for, and what it answers goes with the join`, async ({ visitor }) => {
		let isIn = false;
		const { made, page, of } = await scene(visitor, {
			heartbeat: () => (isIn ? place() : none),
			enqueue: ({ body }) => (isIn = body.captcha !== undefined) ? place({ token: 'x' }) : problem(403, 'challenge_required', { challenge: { kind, challenge: 'signed', site_key: 'site-key', wait_ms: 60000 } }),
		});
		await made.context.route(address, (route) => route.fulfill({ contentType: 'text/javascript', body }));
		await page.goto(`${room.url}/q/default/${kind}`);
		await untilState(page, 'waiting');
		assert.deepEqual([of('enqueue')[1].body.challenge, of('enqueue')[1].body.captcha], ['signed', 'site-key done']);
	});

room.test('a turn that comes while nobody looks is kept for the button', async ({ visitor }) => {
	let isTurn = false;
	const { page, calls, of } = await scene(visitor, {
		heartbeat: ({ query }) => (!isTurn ? place() : admitted({ redirect_url: query.has('claim') ? null : url('?there') })),
	});
	await page.goto(url());
	await untilState(page, 'waiting');
	await setHidden(page, true);
	isTurn = true;
	await untilState(page, 'your_turn');
	assert.match(await page.title(), /^It is your turn \d\d:\d\d$/);
	assert.equal(await page.evaluate(() => document.activeElement.id), 'h');
	assert.match(await page.locator('[role=alert]').textContent(), /^It is your turn/);
	await setHidden(page, false);
	await page.clock.fastForward(20000); // somebody who looks goes in after five seconds
	await polls(2, calls);
	assert.ok(of('heartbeat').every(({ query }) => query.has('claim')));
	await page.getByRole('button', { name: 'Enter now' }).click();
	await page.waitForURL(/there/);
	await page.goto(url());
	await untilState(page, 'your_turn');
	await page.clock.fastForward(20000);
	await polls(2, calls);
	assert.doesNotMatch(page.url(), /there/, 'whoever comes back is not sent in circles');
});

room.test('more time close to the end takes up the turn', async ({ visitor }) => {
	let isClaimed = false;
	const { page } = await scene(visitor, {
		heartbeat: ({ query }) => {
			isClaimed ||= !query.has('claim');
			return admitted({ enter_within_ms: isClaimed ? 900000 : 30000 });
		},
	});
	await page.goto(url());
	await untilState(page, 'your_turn');
	await page.getByRole('button', { name: 'I need more time' }).click();
	await until('there are 15 minutes', async () => /^1[45]:/.test(await bigOf(page)));
	assert.equal(await shown(page, 'more'), '');
});

room.test('a missed turn ends the polls until the visitor joins again', async ({ visitor }) => {
	const api = { heartbeat: () => admitted() };
	const { page, calls, of } = await scene(visitor, api);
	await page.goto(url());
	await untilState(page, 'your_turn');
	await page.getByRole('button', { name: 'I need more time' }).click();
	api.heartbeat = () => problem(410, 'turn_missed');
	await untilState(page, 'missed');
	const count = calls.length;
	await page.clock.fastForward(120000);
	assert.equal(calls.length, count);
	api.heartbeat = () => (of('enqueue').length ? place() : none);
	api.enqueue = () => place({ token: 'x' });
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, 'waiting');
	assert.equal(of('enqueue').length, 1);
});

room.test('a place that moved is taken back by one tap, with the entry token', async ({ visitor }) => {
	let hasMoved = false;
	const { page, of } = await scene(visitor, {
		heartbeat: () => (hasMoved ? problem(409, 'place_moved') : place()),
		enqueue: () => ((hasMoved = false), place({ token: 'y' })),
	});
	await page.goto(url('?entry=to.k.en'));
	await untilState(page, 'waiting');
	hasMoved = true;
	await untilState(page, 'moved');
	await page.getByRole('button', { name: 'Continue here' }).click();
	await untilState(page, 'waiting');
	assert.equal(of('enqueue')[0].body.entry, 'to.k.en');
});

room.test('a full line is tried again as the server says, a closed one is said to be closed', async ({ visitor }) => {
	const api = { heartbeat: () => none };
	const { page, of } = await scene(visitor, api);
	api.enqueue = () => (of('enqueue').length < 3 ? problem(503, 'queue_full', {}, { 'Retry-After': '1' }) : problem(410, 'queue_closed'));
	await page.goto(url());
	await untilState(page, 'full');
	await untilState(page, 'closed');
	assert.equal(of('enqueue').length, 3);
});

room.test('whoever leaves in one tab leaves in all, and no tab joins again by itself', async ({ visitor }) => {
	let isIn = true;
	const { made, page, of } = await scene(visitor, {
		heartbeat: () => (isIn ? place() : none),
		leave: () => ((isIn = false), { status: 200, json: { status: 'left' } }),
		enqueue: () => ((isIn = true), place({ token: 'x' })),
	});
	await page.goto(url());
	const other = await made.tab(url());
	await untilState(page, 'waiting');
	await untilState(other, 'waiting');
	await other.getByRole('button', { name: 'Leave the line' }).click();
	await other.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click();
	await untilState(page, 'left');
	await untilState(other, 'left');
	await page.clock.fastForward(120000);
	await page.evaluate(() => dispatchEvent(new Event('online')));
	assert.equal(of('enqueue').length, 0);
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, 'waiting');
	await untilState(other, 'waiting');
	assert.equal(of('enqueue').length, 1);
});

room.test('two tabs that open at one moment take one place, and one of them asks for both', async ({ visitor }) => {
	let isIn = false;
	const { made, page, calls, of } = await scene(visitor, {
		heartbeat: () => (isIn ? place({ poll_after_ms: 500 }) : none),
		enqueue: () => ((isIn = true), place({ token: 'x' })),
	});
	const other = await made.tab();
	await Promise.all([page.goto(url()), other.goto(url())]);
	await Promise.all([untilState(page, 'waiting'), untilState(other, 'waiting')]);
	assert.equal(of('enqueue').length, 1);
	const from = Date.now();
	await polls(5, calls);
	assert.ok(Date.now() - from > 1600, 'five polls of one tab take two seconds and more');
});

room.test('numbers never go back and survive an answer that does not know them', async ({ visitor }) => {
	let more = {};
	const { page, calls } = await scene(visitor, { heartbeat: () => place(more) });
	await page.goto(url());
	await untilState(page, 'waiting');
	more = { ahead: 60, position: 61 };
	await polls(2, calls);
	assert.equal(await bigOf(page), '40');
	more = { ahead: null, position: null, stale: true, as_of_ms: Date.now() - 30000 };
	await until('the age is told', async () => /3\d seconds ago/.test(await shown(page, 'age')));
	assert.equal(await bigOf(page), '40');
	more = { ahead: 50, token: 'of the line that was rebuilt' };
	await until('a new token may say more', async () => (await bigOf(page)) === '50');
});

room.test('an estimate that grows says why, and none is shown while the line is paused', async ({ visitor }) => {
	let more = {};
	const { page, calls } = await scene(visitor, { heartbeat: () => place(more) });
	await page.goto(url());
	await untilState(page, 'waiting');
	assert.equal(await shown(page, 'range'), 'About 10–15 minutes');
	more = { estimated_wait_s: { low: 650, high: 950 } };
	await polls(2, calls);
	assert.equal(await shown(page, 'range'), 'About 10–15 minutes');
	more = { estimated_wait_s: { low: 1200, high: 1500 } };
	await until('the longer wait is explained', async () => /more slowly/.test(await shown(page, 'why')));
	assert.equal(await shown(page, 'range'), 'About 20–25 minutes');
	more = { paused: true, estimated_wait_s: null, message: '<b>Back soon</b>' };
	await untilState(page, 'paused');
	assert.equal(await shown(page, 'range'), '');
	assert.equal(await shown(page, 'note'), '<b>Back soon</b>');
	more = { estimated_wait_s: { low: 2400, high: 3000 } };
	await until('the pause is the reason', async () => /was paused/.test(await shown(page, 'why')));
});

room.test('paused updates stop what is shown and not the heartbeats', async ({ visitor }) => {
	let ahead = 40;
	const { page, calls } = await scene(visitor, { heartbeat: () => place({ ahead }) });
	await page.goto(url());
	await untilState(page, 'waiting');
	await page.getByRole('switch', { name: 'Pause updates' }).click();
	ahead = 10;
	await polls(4, calls);
	assert.equal(await bigOf(page), '40');
	await page.getByRole('switch', { name: 'Pause updates' }).click();
	assert.equal(await bigOf(page), '10');
});

room.test('one failure is silent, two are told, and Retry-After is obeyed', async ({ visitor }) => {
	let left = 0;
	const { page, calls } = await scene(visitor, {
		heartbeat: () => (left-- > 0 ? problem(503, 'store_unavailable', {}, { 'Retry-After': '1' }) : place()),
	});
	await page.goto(url());
	await untilState(page, 'waiting');
	left = 1;
	await polls(3, calls);
	assert.equal(await stateOf(page), 'waiting');
	left = 3;
	await untilState(page, 'reconnecting');
	assert.match(await shown(page, 'lead'), /Your place is held until \d/);
	assert.equal(await bigOf(page), '40');
	await untilState(page, 'waiting');
});

room.test('somebody whose visit has ended joins anew on coming back, and is told when it ends meanwhile', async ({ visitor }) => {
	let isOver = true;
	const { page, of } = await scene(visitor, {
		heartbeat: () => (isOver ? problem(410, 'session_ended') : place()),
		enqueue: () => ((isOver = false), place({ token: 'x' })),
	});
	await page.goto(url());
	await untilState(page, 'waiting');
	assert.equal(of('enqueue').length, 1);
	isOver = true;
	await untilState(page, 'ended');
	assert.equal(await headingOf(page), 'Your visit has ended');
});

room.test('a screen reader is told of states, of each halving and of what the operator says, and of nothing else', async ({ visitor }) => {
	let ahead = 40;
	let more = {};
	const { page, calls } = await scene(visitor, { heartbeat: () => place({ ahead, waiting: 100, ...more }) });
	await page.addInitScript(() => {
		self.spoken = [];
		addEventListener('DOMContentLoaded', () => {
			const status = document.querySelector('[role=status]');
			new MutationObserver(() => self.spoken.push(status.textContent)).observe(status, { childList: true });
		});
	});
	await page.goto(url());
	await untilState(page, 'waiting');
	for (ahead of [35, 30, 25, 20]) await polls(2, calls);
	await until('the halving is told', () => page.evaluate(() => self.spoken.length === 2));
	assert.match(await page.evaluate(() => self.spoken[1]), /^You are in line 20 people ahead of you/);
	more = { message: 'The till is slow.' };
	await until('the operator is heard', () => page.evaluate(() => self.spoken[2] === 'The till is slow.'));
	await polls(2, calls);
	more = { message: 'The till is down.', paused: true };
	await until('the pause and its reason are told', () =>
		page.evaluate(() => /^The line is paused .*The till is down\.$/.test(self.spoken.at(-1))));
	await polls(2, calls);
	assert.ok((await page.evaluate(() => self.spoken.length)) <= 5);
});
