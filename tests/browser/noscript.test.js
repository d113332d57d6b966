// The room in a browser that runs no scripts.
import assert from 'node:assert/strict';
import { openRoom, quick, until, untilState } from './browser.js';

const room = await openRoom({ pods: 2, admitters: 1, queues: [{ queue: 'default/demo', ...quick, state: 'hold' }] });
const plain = { javaScriptEnabled: false };
const h1 = (page) => page.locator('h1').textContent();

// Is this what it says now, or after pressing the button that looks?
async function look(page, heading) {
	if ((await h1(page)) === heading) return true;
	await page.getByRole('link', { name: 'Check my place now' }).click();
	return false;
}

room.test('from the shop to a place, to the turn, into the shop', async ({ visitor, stack }) => {
	const guest = await visitor(plain);
	const page = await guest.tab(`${stack.site}/checkout?piece=bread-bowl`);
	await page.waitForURL(/nojs=1/);
	await page.getByRole('button', { name: 'Join the line' }).click();
	await page.waitForURL(/nojs=1/);
	await until('the place is there', () => look(page, 'We open soon'));
	await page.getByRole('link', { name: 'Stop automatic refresh' }).click();
	assert.match(await page.locator('main').textContent(), /Automatic refresh is off/);
	await page.getByRole('link', { name: 'Refresh automatically' }).click();
	await stack.change('default/demo', { state: 'open' });
	await until('the turn has come', () => look(page, 'It is your turn'));
	await page.getByRole('button', { name: 'Enter now' }).click();
	await page.waitForURL(`${stack.site}/checkout?piece=bread-bowl`);
	assert.match(await page.title(), /Checkout/);
});

room.test('leaving asks first', async ({ visitor, stack }) => {
	const guest = await visitor(plain);
	const page = await guest.tab(`${stack.site}/`);
	await page.waitForURL(/nojs=1/);
	await page.getByRole('button', { name: 'Join the line' }).click();
	await page.getByRole('link', { name: 'Leave the line' }).click();
	assert.equal(await h1(page), 'Leave the line?');
	await page.getByRole('button', { name: 'Leave the line' }).click();
	assert.equal(await h1(page), 'You have left the line');
	assert.equal((await stack.admin('GET', '/default/demo')).now.lanes[0].waiting, 0);
});

room.test('it fits into 320 pixels, and scripts that are switched on later find the same place', async ({ visitor, stack }) => {
	const guest = await visitor({ ...plain, viewport: { width: 320, height: 640 }, locale: 'de-DE' });
	const page = await guest.tab(`${stack.site}/`);
	await page.waitForURL(/nojs=1/);
	assert.equal(await page.locator('html').getAttribute('lang'), 'de');
	await page.locator('main button').click();
	await page.waitForURL(/nojs=1/);
	const link = page.getByRole('link', { name: 'Jetzt nach meinem Platz sehen' });
	await until('the place is there', async () => (await h1(page)) === 'Wir öffnen bald' || void (await link.click()));
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320), 'nothing is cut off');
	const scripted = await visitor({ locale: 'de-DE' });
	await scripted.context.addCookies(await guest.context.cookies());
	const other = await scripted.tab(`${stack.site}/`);
	await untilState(other, 'prequeue');
	const { now } = await stack.admin('GET', '/default/demo');
	assert.deepEqual([now.lanes[0].waiting, now.lanes[0].last_ticket], [1, 1]);
});
