// Every state of the page as people meet it: with assistive technology, narrow, dark, from right to
// left, by keyboard. The pictures that this takes are in build/screenshots/; three of them are copied
// to pictures/ for README.md.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { build, openRoom, quick, stateOf, until, untilState } from './browser.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = `${build}/screenshots`;
await mkdir(pictures, { recursive: true });

const states = ['prequeue', 'waiting', 'almost', 'paused', 'your_turn', 'missed', 'expired',
	'left', 'ended', 'full', 'closed', 'invite', 'reconnecting', 'moved', 'challenge', 'error'];
const theme = { name: 'Saltglaze', colour: '#8a4b2a', colour_dark: '#f0956f' };

const room = await openRoom({
	pods: 1, admitters: 1,
	queues: [{ queue: 'default/demo', ...quick, state: 'hold' }, { queue: 'default/dressed', ...quick, state: 'hold', theme }],
});

async function preview(stack, state, lang = 'en', queue = 'default/demo') {
	const { url } = await stack.admin('POST', `/${queue}/preview`, { state, lang });
	return new URL(url, `${stack.site}/_wr/`).href;
}

async function look(page, stack, state, lang, queue) {
	await page.goto(await preview(stack, state, lang, queue));
	await untilState(page, state);
}

async function violations(page) {
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations', 'incomplete'] }));
	return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
}

// What is wider than the window, if anything is.
const tooWide = (page) => page.evaluate(() => {
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width) return [];
	return [...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > width + 1)
		.map((each) => `${each.tagName}#${each.id} ${each.textContent.slice(0, 40)}`);
});

for (const colorScheme of ['light', 'dark'])
	room.test(`axe finds nothing on any state in ${colorScheme}`, async ({ visitor, stack }) => {
		const guest = await visitor({ colorScheme, reducedMotion: 'reduce' });
		const page = await guest.context.newPage();
		for (const state of states) {
			await look(page, stack, state);
			assert.deepEqual(await violations(page), [], state);
			await page.screenshot({ path: `${pictures}/${state}-${colorScheme}.png` });
		}
		await look(page, stack, 'waiting');
		await page.getByRole('button', { name: 'Leave the line' }).click();
		assert.deepEqual(await violations(page), [], 'the question before leaving');
		await page.screenshot({ path: `${pictures}/leave-${colorScheme}.png` });
		await look(page, stack, 'your_turn', 'en', 'default/dressed');
		assert.deepEqual(await violations(page), [], 'with a theme');
		await page.screenshot({ path: `${pictures}/theme-${colorScheme}.png` });
	});

room.test('axe finds nothing on the page without scripts either', async ({ visitor, stack }) => {
	const page = `${stack.site}/_wr/q/default/demo?nojs=1&lang=en`;
	for (const colorScheme of ['light', 'dark']) {
		const guest = await visitor({ colorScheme });
		const tab = await guest.tab(page);
		assert.deepEqual(await violations(tab), [], 'before joining');
		await tab.getByRole('button', { name: 'Join the line' }).click();
		await until('the place is there', async () => /ahead of you/.test(await tab.locator('main').textContent()) || void (await tab.goto(page)));
		assert.deepEqual(await violations(tab), [], 'in line');
		await tab.screenshot({ path: `${pictures}/noscript-${colorScheme}.png` });
		await tab.getByRole('link', { name: 'Leave the line' }).click();
		assert.deepEqual(await violations(tab), [], 'before leaving');
	}
});

room.test('axe would find a fault', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.context.newPage();
	await look(page, stack, 'waiting');
	await page.evaluate(() => {
		document.getElementById('lead').style.color = '#ccc';
		document.querySelector('label').replaceWith(document.querySelector('select'));
	});
	assert.deepEqual((await violations(page)).map((each) => each.split(':')[0]).sort(), ['color-contrast', 'select-name']);
});

room.test('no state needs more than 320 pixels, in the wordiest languages too', async ({ visitor, stack }) => {
	const guest = await visitor({ viewport: { width: 320, height: 640 } });
	const page = await guest.context.newPage();
	for (const lang of ['de', 'pl', 'ar', 'ja']) {
		for (const state of states) {
			await look(page, stack, state, lang);
			assert.deepEqual(await tooWide(page), [], `${state} in ${lang}`);
			if (lang === 'de') await page.screenshot({ path: `${pictures}/${state}-320.png`, fullPage: true });
		}
	}
	const small = await page.locator('button:visible, select:visible').evaluateAll((all) =>
		all.map((each) => each.getBoundingClientRect()).filter(({ width, height }) => width < 24 || height < 24).length);
	assert.equal(small, 0, 'every target is at least 24 pixels');
});

room.test('the turn can be taken without scrolling on a phone that lies on its side, and at 400 %', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.context.newPage();
	for (const viewport of [{ width: 667, height: 375 }, { width: 320, height: 256 }]) {
		await page.setViewportSize(viewport);
		for (const lang of ['en', 'de', 'fr', 'ar', 'ja']) {
			await look(page, stack, 'your_turn', lang);
			const { y, height } = await page.locator('#go').boundingBox();
			assert.ok(y + height <= viewport.height, `in ${lang} the button ends at ${y + height} of ${viewport.height}`);
		}
		await page.screenshot({ path: `${pictures}/your_turn-${viewport.width}x${viewport.height}.png` });
	}
});

room.test('Arabic reads from right to left, in its own words and without a fault', async ({ visitor, stack }) => {
	const guest = await visitor({ locale: 'ar-EG', reducedMotion: 'reduce' });
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['ar', 'rtl']);
	for (const state of ['waiting', 'your_turn', 'paused']) {
		await look(page, stack, state, 'ar');
		assert.equal(await page.evaluate(() => getComputedStyle(document.body).direction), 'rtl');
		assert.deepEqual(await violations(page), [], state);
		await page.screenshot({ path: `${pictures}/${state}-ar.png` });
		const text = await page.locator('#room').innerText();
		const latin = text.match(/[A-Za-z]{4,}/g)?.filter((word) => !/^(English|Deutsch|Nederlands|Fran|Espa|Portugu|Italiano|Polski|rk|ais|ol)/.test(word)) ?? [];
		assert.deepEqual(latin.filter((word) => page.url().indexOf(word) < 0), [], `words left in Latin on ${state}`);
	}
});

room.test('the language can be chosen on the page and stays chosen', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	await page.locator('#language').selectOption('nl');
	await until('the page is Dutch', () => page.evaluate(() => document.documentElement.lang === 'nl').catch(() => false));
	await untilState(page, 'prequeue');
	const again = await guest.tab(`${stack.site}/`);
	await untilState(again, 'prequeue');
	assert.equal(await again.evaluate(() => document.documentElement.lang), 'nl');
});

room.test('everything can be done with the keyboard alone', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	const focused = () => page.evaluate(() => document.activeElement.id);
	const order = [];
	for (let i = 0; i < 4; i++) {
		await page.keyboard.press('Tab');
		order.push(await focused());
		const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
		assert.equal(outline, '3px', `the focus is seen on ${order.at(-1)}`);
	}
	assert.deepEqual(order, ['alert', 'freeze', 'leave', 'language']);
	await page.locator('#freeze').focus();
	await page.keyboard.press('Space');
	assert.equal(await page.locator('#freeze').getAttribute('aria-checked'), 'true');
	await page.keyboard.press('Space');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').waitFor();
	await page.keyboard.press('Escape');
	assert.equal(await page.getByRole('dialog').count(), 0);
	assert.equal(await focused(), 'leave', 'the focus is back where it was');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	assert.equal(await focused(), 'go-away');
	await page.keyboard.press('Enter');
	await untilState(page, 'left');
	assert.equal(await focused(), 'h', 'the focus is not lost');
	await page.keyboard.press('Tab');
	assert.equal(await focused(), 'go');
	await page.keyboard.press('Enter');
	await untilState(page, 'prequeue');
});

room.test('a screen reader hears the turn at once, and is not read every number', async ({ visitor, stack }) => {
	const guest = await visitor();
	const page = await guest.tab(`${stack.site}/`);
	await untilState(page, 'prequeue');
	await page.evaluate(() => {
		window.heard = [];
		const listen = (id) => new MutationObserver(() => document.getElementById(id).textContent && window.heard.push(id))
			.observe(document.getElementById(id), { childList: true });
		listen('say');
		listen('shout');
	});
	let answers = 0;
	page.on('response', (response) => (answers += /heartbeat/.test(response.url())));
	await until('many heartbeats', () => answers > 8);
	assert.deepEqual(await page.evaluate(() => window.heard), []);
	await stack.change('default/demo', { state: 'open' });
	await until('the turn is called out', () => page.evaluate(() => window.heard?.includes('shout')).catch(() => false));
	assert.equal(await stateOf(page), 'your_turn');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'h');
});

room.test('the page of every language is at most 14 kB on the wire', async ({ stack }) => {
	const { languages } = await languagesOf(stack);
	assert.ok(languages.length >= 14);
	for (const coding of ['gzip', 'br'])
		for (const lang of languages) {
			const bytes = await weigh(`${stack.site}/_wr/q/default/demo?lang=${lang}`, coding);
			assert.ok(bytes <= 14 * 1024, `${lang} with ${coding}: ${bytes} bytes`);
		}
});

async function languagesOf(stack) {
	const text = await (await fetch(`${stack.site}/_wr/q/default/demo?lang=en`)).text();
	return { languages: [...text.matchAll(/<option value="([^"]+)"/g)].map(([, code]) => code) };
}

async function weigh(url, coding) {
	const { request } = await import('node:http');
	return new Promise((done, failed) => {
		request(url, { headers: { 'Accept-Encoding': coding } }, (answer) => {
			assert.equal(answer.headers['content-encoding'], coding);
			let bytes = 0;
			answer.on('data', (chunk) => (bytes += chunk.length)).on('end', () => done(bytes));
		}).on('error', failed).end();
	});
}
