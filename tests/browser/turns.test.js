// What can become of a place: paused, missed, given up, moved, full, closed, a check before it.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { bigOf, codeOf, enter, headingOf, openRoom, quick, stateOf, until, untilSite, untilState } from './browser.js';

const held = { ...quick, state: 'hold' };
const room = await openRoom({ pods: 1, queues: [{ queue: 'default/demo', ...held }] });

const leadOf = (page) => page.locator('#lead').textContent();
const isShown = (page, id) => page.locator(`#${id}`).isVisible();

room.test("a pause shows the operator's words in the visitor's language, hides the estimate and keeps the place", async ({ visitor, stack }) => {
	await stack.change('default/demo', { state: 'open', capacity: 0 });
	const [guest, german] = [await visitor(), await visitor({ locale: 'de-DE' })];
	const [page, seite] = [await guest.tab(`${stack.site}/`), await german.tab(`${stack.site}/`)];
	await Promise.all([untilState(page, ['waiting', 'almost']), untilState(seite, ['waiting', 'almost'])]);
	const code = await codeOf(page);
	await stack.admin('POST', '/default/demo/pause', { message: 'The till is down.', messages: { de: 'Die Kasse ist aus.' } });
	await Promise.all([untilState(page, 'paused'), untilState(seite, 'paused')]);
	assert.equal(await page.locator('#note').textContent(), 'The till is down.');
	assert.equal(await seite.locator('#note').textContent(), 'Die Kasse ist aus.');
	assert.equal(await isShown(page, 'range'), false);
	assert.equal(await isShown(page, 'clock'), false);
	assert.match(await leadOf(page), /Nobody loses their place/);
	await stack.admin('POST', '/default/demo/resume', {});
	await untilState(page, ['waiting', 'almost']);
	assert.equal(await codeOf(page), code);
	assert.equal(await isShown(page, 'note'), false);
});

room.test("what an operator writes is shown as text, whatever it is", async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	const message = '<img src=x onerror="alert(1)"><script>alert(2)</script> & "quotes"';
	await stack.admin('POST', '/default/demo/pause', { message });
	await until('the message is there', async () => (await page.locator('#note').textContent()) === message);
	assert.equal(await page.locator('#note *').count(), 0);
});

room.test('before it opens the page counts down, and goes on by itself', async ({ visitor, stack }) => {
	await stack.change('default/demo', { state: 'open', capacity: 10, opens_at_ms: Date.now() + 8000 });
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	assert.match(await bigOf(page), /^00:0\d$/);
	await enter(page);
});

room.test('a turn that nobody takes is missed, and one press joins again', async ({ visitor, stack }) => {
	const guest = await visitor({ mayFail: true });
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	await stack.change('default/demo', { state: 'open', claim_ttl_ms: 3000 });
	await untilState(page, 'your_turn');
	await page.getByRole('button', { name: 'I need more time' }).focus();
	// Somebody who looks away: the page does not go in unseen, and the turn passes.
	await page.evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	});
	await stack.change('default/demo', { state: 'hold' });
	await until('the turn is over for the server', async () => (await stack.admin('GET', '/default/demo')).now.active === 0);
	await page.evaluate(() => {
		delete document.visibilityState;
		document.dispatchEvent(new Event('visibilitychange'));
	});
	await untilState(page, 'missed');
	assert.match(await leadOf(page), /went to the next person/);
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, 'prequeue');
});

room.test('more time is one press away, and stops the page from going in by itself', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	await stack.change('default/demo', { state: 'open' });
	await untilState(page, 'your_turn');
	await page.getByRole('button', { name: 'I need more time' }).click();
	assert.match(await leadOf(page), /kept until \d/);
	const first = await bigOf(page);
	await until('seven seconds have passed on the page', async () => secondsIn(await bigOf(page)) <= secondsIn(first) - 7);
	assert.equal(await stateOf(page), 'your_turn');
	await page.getByRole('button', { name: 'Enter now' }).click();
	await untilSite(page);
});

const secondsIn = (clock) => clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

const noteOf = async (page) => (await page.locator('#note').textContent()).trim();

room.test('a full line says so and keeps trying; a closed one says what the operator says', async ({ visitor, stack }) => {
	await stack.change('default/demo', { max_waiting: 1, message: 'More places at noon.' });
	const [first, second] = [await visitor(), await visitor({ mayFail: true })];
	const page = await first.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	const late = await second.tab(`${stack.site}/`);
	await untilState(late, 'full');
	assert.equal(await noteOf(late), 'More places at noon.');
	await page.getByRole('button', { name: 'Leave the line' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click();
	await untilState(late, 'prequeue', 40000);
	const third = await visitor({ mayFail: true });
	await stack.admin('POST', '/default/demo/close', { message: 'Sold out.', messages: { de: 'Ausverkauft.' } });
	const shut = await third.tab(`${stack.site}/`);
	await untilState(shut, 'closed');
	assert.equal(await headingOf(shut), 'The line is closed');
	assert.equal(await noteOf(shut), 'Sold out.');
	await shut.locator('#language').selectOption('de');
	await until('the operator is heard in German', async () => (await noteOf(shut).catch(() => '')) === 'Ausverkauft.');
});

room.test('a proof of work is done by the browser before it has a place', async ({ visitor, stack }) => {
	await stack.change('default/demo', { challenge: 'pow', challenge_bits_min: 8, challenge_bits_max: 8, challenge_puzzles: 10 });
	const guest = await visitor({ mayFail: true }); // the first wish to join is refused with the puzzle
	const page = await guest.context.newPage();
	const joins = [];
	page.on('response', (response) => /\/enqueue$/.test(response.url()) && joins.push(response.status()));
	await page.goto(`${stack.site}/`);
	await untilState(page, 'prequeue');
	assert.deepEqual(joins, [403, 201]);
});

// What the site's own server signs for a person that it knows.
function invitation(secret, identity) {
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const now = Math.floor(Date.now() / 1000);
	const claims = { aud: 'default/demo', jti: randomUUID(), iat: now, exp: now + 600, identity };
	const text = `${part({ typ: 'wr-invite+jwt', alg: 'HS256', kid: 'site' })}.${part(claims)}`;
	return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

room.test('a person has one place: opened on another device it moves there, and one press takes it back', async ({ visitor, stack }) => {
	const secret = Buffer.alloc(32, 7);
	await stack.change('default/demo', { entry: 'signed', entry_keys: [{ kid: 'site', alg: 'HS256', key: secret.toString('base64url') }] });
	const address = () => `${stack.site}/_wr/q/default/demo?entry=${invitation(secret, 'ada@example.org')}`;
	const [phone, laptop] = [await visitor({ mayFail: true }), await visitor({ mayFail: true })];
	const first = await phone.tab(address());
	await untilState(first, 'prequeue');
	const code = await codeOf(first);
	const second = await laptop.tab(address());
	await untilState(second, 'prequeue');
	assert.equal(await codeOf(second), code, 'the same place');
	await untilState(first, 'moved');
	await first.getByRole('button', { name: 'Continue here' }).click();
	await untilState(first, 'prequeue');
	await untilState(second, 'moved');
	assert.equal((await stack.admin('GET', '/default/demo')).now.lanes[0].waiting, 1);
	const stranger = await visitor({ mayFail: true });
	await untilState(await stranger.tab(`${stack.site}/_wr/q/default/demo`), 'invite');
});

room.test('without a worker the room still works', async ({ visitor, stack }) => {
	const guest = await visitor({ mayFail: true });
	await guest.context.route(/room-worker/, (route) => route.abort());
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	let answers = 0;
	page.on('response', (response) => (answers += /heartbeat/.test(response.url()) && response.status() === 200));
	await until('heartbeats go on', () => answers > 4);
});

room.test('a place that nothing was heard of is given up, and the page says so', async ({ visitor, stack }) => {
	await stack.change('default/demo', { poll_max_ms: 400, absent_after_ms: 1000, heartbeat_ttl_ms: 2000, first_heartbeat_ms: 2500 });
	const guest = await visitor({ mayFail: true });
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	const devtools = await guest.context.newCDPSession(page);
	await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
	await guest.context.setOffline(true);
	await until('the place is given up', async () => (await stack.admin('GET', '/default/demo')).now.lanes[0].waiting === 0, { within: 30000 });
	await guest.context.setOffline(false);
	await devtools.send('Page.setWebLifecycleState', { state: 'active' });
	await untilState(page, 'expired');
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, 'prequeue');
});
