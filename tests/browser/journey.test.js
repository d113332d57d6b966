// From the shop through the room into the shop, with a capacity of one, through nginx.
import assert from 'node:assert/strict';
import { bigOf, codeOf, enter, headingOf, openRoom, quick, stateOf, until, untilSite, untilState } from './browser.js';

const room = await openRoom({ queues: [{ queue: 'default/demo', capacity: 1, ...quick }] });

const sessionOf = async ({ context }) => (await context.cookies()).find(({ name }) => name === 'wr-session-demo')?.value;

// What the shop's own server does when the order is placed.
async function release(stack, visitor) {
	const answer = await fetch(`${stack.pods[1].url}/session/release`, {
		method: 'POST', headers: { Authorization: `Bearer ${await sessionOf(visitor)}` },
	});
	assert.equal(answer.status, 200);
}

const counts = async (stack) => (await stack.admin('GET', '/default/demo')).now;

async function enterShop(visitor, stack) {
	const page = await visitor.tab(`${stack.site}/`);
	await untilSite(page);
	assert.match(await page.title(), /winter kiln/);
	return page;
}

room.test('of three visitors one is in the shop and two wait, and the slot goes on in their order', async ({ visitor, stack }) => {
	const [first, second, third] = [await visitor({ mayFail: true }), await visitor(), await visitor()]; // told that the visit is over
	const shop = await enterShop(first, stack);
	assert.equal(shop.url(), `${stack.site}/`, 'the pass has been taken out of the address');
	assert.ok(await sessionOf(first));
	assert.equal((await first.context.cookies()).find(({ name }) => name === 'wr-session-demo').httpOnly, true);

	const waiting = await second.tab(`${stack.site}/checkout?piece=harbour-vase`);
	await untilState(waiting, ['almost']);
	assert.equal(await headingOf(waiting), 'You are next');
	const behind = await third.tab(`${stack.site}/`);
	await untilState(behind, ['waiting', 'almost']);
	await until('the third has one ahead', async () => (await bigOf(behind)) === '1');
	assert.equal(await stateOf(shop), 'site');

	await release(stack, first);
	await untilState(waiting, 'your_turn');
	assert.match(await waiting.title(), /^It is your turn \d/);
	await untilSite(waiting); // by itself: somebody looks at it
	assert.equal(waiting.url(), `${stack.site}/checkout?piece=harbour-vase`, 'where the visitor wanted to go');
	await until('the third is next', async () => (await headingOf(behind)) === 'You are next');

	await shop.reload();
	await untilState(shop, ['waiting', 'almost']); // whose visit is over has to queue again
	await behind.getByRole('button', { name: 'Leave the line' }).click();
	await behind.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click();
	await untilState(behind, 'left');
	await shop.getByRole('button', { name: 'Leave the line' }).click();
	await shop.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click();
	await untilState(shop, 'left');
	await release(stack, second);
	await until('nobody is on the site', async () => (await counts(stack)).active === 0);
});

room.test('whoever left is asked first, and joins again by a button', async ({ visitor, stack }) => {
	const [inside, guest] = [await visitor(), await visitor()];
	await enterShop(inside, stack);
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, ['almost']);
	const before = await codeOf(page);
	await page.getByRole('button', { name: 'Leave the line' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Stay in line' }).click();
	assert.equal(await page.getByRole('dialog').count(), 0);
	await page.getByRole('button', { name: 'Leave the line' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click();
	await untilState(page, 'left');
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, ['almost', 'waiting']);
	await until('there is a new place', async () => (await codeOf(page)) !== before);
	await release(stack, inside);
	await enter(page);
});

room.test('a refresh, a second tab and the way back and forth keep the one place', async ({ visitor, stack }) => {
	const [inside, guest] = [await visitor(), await visitor()];
	await enterShop(inside, stack);
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, ['almost']);
	const code = await codeOf(page);
	await page.reload();
	await untilState(page, ['almost']);
	assert.equal(await codeOf(page), code, 'after a refresh');

	const twin = await guest.tab(`${stack.site}/checkout`);
	await untilState(twin, ['almost']);
	assert.equal(await codeOf(twin), code, 'in a second tab');
	assert.equal((await counts(stack)).lanes[0].waiting, 1);
	await twin.close();

	await page.goto('about:blank');
	await page.goBack();
	await untilState(page, ['almost']);
	assert.equal(await codeOf(page), code, 'after going back');
	await page.close();
	const again = await guest.tab(`${stack.site}/`);
	await untilState(again, ['almost']);
	assert.equal(await codeOf(again), code, 'after the tab was closed and opened again');

	await release(stack, inside);
	await enter(again);
	await again.goto(`${stack.site}/checkout`);
	await again.goBack();
	assert.equal(again.url(), `${stack.site}/`, 'the room is not in the way back');
	assert.equal(await stateOf(again), 'site');
});

room.test('both tabs of one visitor learn of the turn, and one place is used', async ({ visitor, stack }) => {
	const [inside, guest] = [await visitor(), await visitor()];
	await enterShop(inside, stack);
	const [one, two] = [await guest.tab(`${stack.site}/`), await guest.tab(`${stack.site}/checkout`)];
	await Promise.all([untilState(one, 'almost'), untilState(two, 'almost')]);
	await release(stack, inside);
	await Promise.all([untilState(one, ['your_turn', 'site']), untilState(two, ['your_turn', 'site'])]);
	await Promise.all([untilSite(one), untilSite(two)]);
	assert.equal((await counts(stack)).active, 1);
});

room.test('a pod that is killed in the middle is noticed by nobody', async ({ visitor, stack }) => {
	const [inside, guest] = [await visitor(), await visitor()];
	const shop = await enterShop(inside, stack);
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, ['almost']);
	const code = await codeOf(page);
	const seen = new Set();
	const watching = setInterval(async () => seen.add(await stateOf(page)), 50);
	await stack.pods[0].kill();
	let answers = 0;
	const pods = new Set(); // by the beginning of the ids that each gives to requests
	page.on('response', (response) => {
		if (!/heartbeat/.test(response.url()) || response.status() !== 200) return;
		answers++;
		pods.add(response.headers()['x-request-id'].split('-')[0]);
	});
	await until('ten more heartbeats are answered', () => answers >= 10);
	await shop.reload();
	assert.equal(await stateOf(shop), 'site', 'the session is good at the other pod');
	await stack.pods[0].start();
	pods.clear();
	await until('both pods are asked again', () => pods.size === 2);
	await stack.pods[1].kill();
	answers = 0;
	await until('and ten by the other pod', () => answers >= 10);
	await stack.pods[1].start();
	clearInterval(watching);
	assert.deepEqual([...seen], ['almost']);
	assert.equal(await codeOf(page), code);
	await release(stack, inside);
	await enter(page);
});

room.test('a pass is good once: its address in another browser leads to the room', async ({ visitor, stack }) => {
	const [guest, thief] = [await visitor(), await visitor()];
	let withPass = '';
	const page = await guest.context.newPage();
	page.on('request', (request) => (withPass = /wr_pass=/.test(request.url()) ? request.url() : withPass));
	await page.goto(`${stack.site}/`);
	await untilSite(page);
	await until('the pass was in an address', () => withPass);
	const other = await thief.tab(withPass);
	await untilState(other, ['almost']);
	assert.equal((await counts(stack)).active, 1);
});
