// Servers go away and come back while somebody waits.
import assert from 'node:assert/strict';
import { bigOf, codeOf, enter, headingOf, openRoom, quick, stateOf, until, untilState } from './browser.js';

const held = { ...quick, state: 'hold' };
const room = await openRoom({ queues: [{ queue: 'default/demo', ...held }] });

async function waiting(made, stack) {
	const page = await made.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	await until('the number is there', () => bigOf(page));
	return page;
}

// Heartbeats that are answered from now on.
function countAnswers(page) {
	const seen = { good: 0, stale: 0 };
	page.on('response', async (response) => {
		if (!/\/heartbeat/.test(response.url()) || response.status() !== 200) return;
		const body = await response.json().catch(() => ({}));
		seen.good++;
		seen.stale += body.stale === true;
	});
	return seen;
}

room.test('Redis away for a while costs nobody the place, and the line goes on afterwards', async ({ visitor, stack }) => {
	const guest = await visitor({ mayFail: true });
	const page = await waiting(guest, stack);
	const [code, big] = [await codeOf(page), await bigOf(page)];
	const answers = countAnswers(page);
	await stack.store.kill();
	await until('answers say that they may be old', () => answers.stale >= 3);
	assert.deepEqual([await codeOf(page), await bigOf(page)], [code, big]);
	const late = await visitor({ mayFail: true });
	const other = await late.tab(`${stack.site}/`); // joining is not possible now
	await until('the newcomer is told that it is being tried', async () =>
		/cannot be reached/.test(await other.locator('#lead').textContent().catch(() => '')));
	await stack.store.start();
	await untilState(other, 'prequeue', 40000);
	assert.equal(await codeOf(page), code);
	await stack.change('default/demo', { state: 'open' });
	await Promise.all([enter(page, 40000), enter(other, 40000)]);
});

room.test('NATS away is noticed by nobody', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await waiting(guest, stack);
	await stack.broker.kill();
	const answers = countAnswers(page);
	await until('heartbeats go on', () => answers.good >= 5);
	assert.equal(answers.stale, 0);
	await stack.change('default/demo', { state: 'open' });
	await enter(page);
	await stack.broker.start();
});

room.test('when no pod answers the page says so, keeps the number, and finds its way back', async ({ visitor, stack }) => {
	const guest = await visitor({ mayFail: true });
	const page = await waiting(guest, stack);
	const [code, big] = [await codeOf(page), await bigOf(page)];
	await Promise.all(stack.pods.map((pod) => pod.kill()));
	await untilState(page, 'reconnecting', 30000);
	assert.equal(await headingOf(page), 'Connecting again');
	assert.match(await page.locator('#lead').textContent(), /Your place is held until \d/);
	assert.equal(await bigOf(page), big);
	await Promise.all(stack.pods.map((pod) => pod.start()));
	await untilState(page, 'prequeue', 40000);
	assert.equal(await codeOf(page), code);
	assert.equal(await stateOf(page), 'prequeue');
});

room.test('a browser without network says so, and asks at once when the network is back', async ({ visitor, stack }) => {
	const guest = await visitor({ mayFail: true });
	const page = await waiting(guest, stack);
	await guest.context.setOffline(true);
	await untilState(page, 'reconnecting', 30000);
	await guest.context.setOffline(false);
	await untilState(page, 'prequeue', 10000);
});

room.test('the shop stays shut to newcomers while no pod answers, and says that they should wait', async ({ visitor, stack }) => {
	const guest = await visitor({ mayFail: true });
	await Promise.all(stack.pods.map((pod) => pod.kill()));
	const page = await guest.context.newPage();
	const answer = await page.goto(`${stack.site}/`);
	assert.equal(answer.status(), 503);
	assert.equal(await page.title(), 'One moment');
	await Promise.all(stack.pods.map((pod) => pod.start()));
});
