// Somebody reads the support code of a lost place out over the telephone, and support puts it back.
import assert from 'node:assert/strict';
import { codeOf, openRoom, quick, untilState } from './browser.js';

const room = await openRoom({ queues: [{ queue: 'default/demo', ...quick, state: 'hold' }] });

// What support does with the code that it hears.
async function putBack(stack, code) {
	const heard = encodeURIComponent(code.toLowerCase().replaceAll('-', ' '));
	const { places } = await stack.admin('GET', `/default/demo/places?code=${heard}`);
	assert.equal(places.length, 1);
	const order = { position_id: places[0].position_id, reason: 'pressed the wrong button' };
	return [places[0], await stack.admin('POST', '/default/demo/restore', order)];
}

async function leave(page) {
	await page.getByRole('button', { name: 'Leave the line' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click();
	await untilState(page, 'left');
}

room.test('a place that was left by mistake is there again when the page is loaded again', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	const code = await codeOf(page);
	await leave(page);
	const [place, restored] = await putBack(stack, code);
	assert.equal(place.code, code);
	assert.equal(restored.status, 'waiting');
	await page.reload();
	await untilState(page, 'prequeue');
	assert.equal(await codeOf(page), code);
});

room.test('joining again takes the place that was put back, and else a new one', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	const code = await codeOf(page);
	await leave(page);
	await putBack(stack, code);
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, 'prequeue');
	assert.equal(await codeOf(page), code);
	await leave(page);
	await page.getByRole('button', { name: 'Join again' }).click();
	await untilState(page, 'prequeue');
	assert.notEqual(await codeOf(page), code);
});
