// Real visitors: Chromium of the system, driven by playwright, against a real stack (support/stack.js).
// It is Chromium's headless shell where there is one: the same engine without windows and profiles, for which a
// visitor costs a quarter of the processor time. Tabs that hide each other take the whole of it (hidden.test.js).
//
//     const room = await openRoom({ queues: […] });       // before the tests; closes after them
//     room.test('a sentence', async ({ visitor, stack }) => { … });
//
// Each test has visitors of its own; whatever a page of theirs throws, says in its console as an
// error, or does against its policy, fails the test. A test that takes servers away, or is refused
// something, says so: then the browser's notes about failed requests are no complaint. When a test
// fails, pictures are in build/browser/, and the servers' logs are kept; with WR_TEST_TRACES=1 there are
// playwright's traces too, which take a quarter of the processor time.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { root, slowness, Stack, until } from '../support/stack.js';

export { slowness, until };
export const build = resolve(root, process.env.BUILD ?? 'build');
export const wholePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const executablePath = ['/usr/bin/chromium-headless-shell', wholePath].find((path) => path && existsSync(path));
const withTraces = process.env.WR_TEST_TRACES === '1';
// Root has no sandbox to go into; what is visited is ours.
export const chromiumArguments = ['--no-sandbox', '--disable-dev-shm-usage'];

// What a queue needs so that a test need not wait: everything at once, polls as often as is allowed.
export const quick = {
	rate_per_minute: 600000, burst: 1000, poll_min_ms: 100, poll_max_ms: 500, absent_after_ms: 3000,
	first_heartbeat_ms: 10000, heartbeat_ttl_ms: 120000, session_ttl_ms: 600000,
};

const isFailedRequest = (text) => /^Failed to load resource: /.test(text);

class Visitor {
	constructor(context, options) {
		Object.assign(this, { context, options, complaints: [] });
		context.on('page', (page) => this.#watch(page));
	}

	#watch(page) {
		page.on('pageerror', (error) => this.complaints.push(`threw ${error.message}`));
		page.on('console', (message) => {
			const text = message.text();
			const isComplaint = message.type() === 'error' || /Content Security Policy|violates/i.test(text);
			if (!isComplaint || (this.options.mayFail && isFailedRequest(text))) return;
			this.complaints.push(`${page.url().slice(0, 120)} says: ${text} ${message.location().url ?? ''}`);
		});
		page.setDefaultTimeout(20000 * slowness);
		page.setDefaultNavigationTimeout(20000 * slowness);
	}

	// Another tab of the same browser.
	async tab(url) {
		const page = await this.context.newPage();
		if (url) await page.goto(url);
		return page;
	}
}

// The state that the page of the room is in, or "site" anywhere else.
export const stateOf = (page) => page.evaluate(() => document.getElementById('room')?.dataset.state ?? 'site').catch(() => 'between pages');

export async function untilState(page, wanted, within = 20000) {
	let last;
	await until(`the page shows ${wanted}`, async () => {
		last = await stateOf(page);
		return [wanted].flat().includes(last);
	}, { within }).catch((error) => {
		throw new Error(`${error.message}; it shows ${last} at ${page.url().slice(0, 200)}`);
	});
	return last;
}

export const untilSite = async (page, within = 20000) => {
	await untilState(page, 'site', within);
	await page.waitForLoadState();
};

// Takes the turn when it comes, without waiting for the page to do it by itself.
export async function enter(page, within) {
	if ((await untilState(page, ['your_turn', 'site'], within)) === 'your_turn')
		await page.getByRole('button', { name: 'Enter now' }).click().catch(() => {}); // it may have gone in meanwhile
	await untilSite(page);
}

const textOf = async (page, id) => (await page.locator(`#${id}`).textContent()).trim();
export const codeOf = (page) => until('the support code is shown', () => textOf(page, 'number'));
export const headingOf = (page) => textOf(page, 'h');
export const bigOf = (page) => textOf(page, 'big');

export async function openRoom(options) {
	const room = { stack: null, browser: null };
	let hasFailed = false;
	assert.ok(executablePath, 'there is no Chromium; scripts/bootstrap test installs it');
	before(async () => {
		room.stack = await Stack.start({ nginx: true, ...options });
		room.browser = await chromium.launch({ executablePath, args: chromiumArguments });
		room.url = `${room.stack.site}/_wr`;
	});
	after(async () => {
		await room.browser?.close();
		await room.stack?.stop({ keep: hasFailed });
		if (hasFailed) console.log(`# logs of the servers: ${room.stack?.directory}; pictures: ${build}/browser`);
	});

	// Each test has the first queue anew.
	room.test = (name, body) => test(name, { timeout: 90000 * slowness }, async () => {
		const visitors = [];
		const visitor = async (how = {}) => {
			const { mayFail, ...context } = how;
			const made = new Visitor(await room.browser.newContext({ viewport: { width: 1000, height: 800 }, locale: 'en-GB', ...context }), { mayFail });
			if (withTraces) await made.context.tracing.start({ screenshots: true, snapshots: true });
			visitors.push(made);
			return made;
		};
		try {
			const [{ queue, ...settings }] = options.queues;
			await room.stack.renew(queue, settings);
			await body({ visitor, stack: room.stack, room });
			assert.deepEqual(visitors.flatMap(({ complaints }) => complaints), []);
		} catch (error) {
			hasFailed = true;
			await keepEvidence(name, visitors);
			throw error;
		} finally {
			await Promise.all(visitors.map(({ context }) => context.close().catch(() => {})));
		}
	});
	return room;
}

async function keepEvidence(name, visitors) {
	const prefix = `${build}/browser/${name.replace(/\W+/g, '-').slice(0, 60)}`;
	await mkdir(`${build}/browser`, { recursive: true });
	for (const [i, { context, complaints }] of visitors.entries()) {
		for (const [tab, page] of context.pages().entries()) {
			const path = `${prefix}-${i + 1}.${tab + 1}.png`;
			await page.screenshot({ path, timeout: 5000 }).catch(() => {});
			console.log(`# visitor ${i + 1}, tab ${tab + 1}: ${page.url()} shows ${await stateOf(page)}; ${path}`);
		}
		for (const complaint of complaints) console.log(`# visitor ${i + 1}: ${complaint}`);
		if (withTraces) await context.tracing.stop({ path: `${prefix}-${i + 1}.zip` }).catch(() => {});
	}
}
