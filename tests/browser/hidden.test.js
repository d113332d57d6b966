// Tabs that nobody looks at. A whole Chromium of its own, without what playwright does to keep every page
// in view: behind another tab a page is really hidden.
//
// After five minutes Chromium runs the timers of a hidden page once a minute, those of its workers as
// before. A test cannot wait for that, so withSlowTimers makes the page's own timers stand still at
// once; everything else is Chromium's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Stack } from '../support/stack.js';
import { chromiumArguments, codeOf, quick, slowness, stateOf, until, untilSite, untilState, wholePath } from './browser.js';

const holdMs = 4000;
const held = { ...quick, poll_max_ms: 800, absent_after_ms: 1500, heartbeat_ttl_ms: holdMs, state: 'hold' };
let stack, profile, child, browser, page, other;

before(async () => {
	stack = await Stack.start({ nginx: true, pods: 1, admitters: 1, queues: [{ queue: 'default/demo', ...held }] });
	profile = await mkdtemp(`${tmpdir()}/wr-profile.`);
	child = spawn(wholePath, ['--headless', ...chromiumArguments, '--remote-debugging-port=0', '--no-first-run',
		`--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
	let said = '';
	const address = await new Promise((done, failed) => {
		child.once('exit', () => failed(new Error(`Chromium has ended: ${said}`)));
		child.stderr.on('data', (text) => {
			said += text;
			const [url] = /ws:\/\/\S+/.exec(said) ?? [];
			if (url) done(url);
		});
	});
	browser = await chromium.connectOverCDP(address, { noDefaults: true });
});

after(async () => {
	await browser?.close();
	const ended = new Promise((done) => child.once('exit', done));
	child?.kill();
	await ended;
	await rm(profile, { recursive: true, force: true, maxRetries: 5 });
	await stack?.stop();
});

const complaints = [];

// While the page is hidden no timer of its main thread runs; those that are due run when it is seen.
const withSlowTimers = () => {
	const after = window.setTimeout, every = window.setInterval, due = new Set();
	const guarded = (run) => () => (document.visibilityState === 'hidden' ? void due.add(run) : run());
	window.setTimeout = (run, ms, ...rest) => after(guarded(() => run(...rest)), ms);
	window.setInterval = (run, ms) => every(guarded(run), ms);
	document.addEventListener('visibilitychange', () => {
		if (document.visibilityState === 'hidden') return;
		for (const run of due) run();
		due.clear();
	});
};

async function open(script) {
	const [context] = browser.contexts();
	await stack.renew('default/demo', held);
	await context.clearCookies();
	page = await context.newPage();
	if (script) await page.addInitScript(script);
	page.on('pageerror', (error) => complaints.push(error.message));
	page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
	await page.goto(`${stack.site}/`);
	await untilState(page, 'prequeue');
}

async function hide() {
	await page.evaluate(() => addEventListener('visibilitychange', () => console.info(document.visibilityState)));
	const hidden = page.waitForEvent('console', (message) => message.text() === 'hidden');
	other = await page.context().newPage();
	await other.bringToFront();
	await hidden;
}

const show = async () => {
	await page.bringToFront();
	await other.close();
};

const hiddenTest = (name, body, script) => test(name, { timeout: 90000 * slowness }, async () => {
	await open(script);
	try {
		await body();
		assert.deepEqual(complaints.splice(0), []);
	} finally {
		await page.close();
	}
});

hiddenTest('a hidden tab whose timers stand still keeps its place, five times as long as it is held', async () => {
	const code = await codeOf(page);
	await hide();
	const sent = [];
	page.on('request', (request) => /heartbeat/.test(request.url()) && sent.push(Date.now()));
	await until('heartbeats were sent for five times as long as a place is held', () =>
		sent.length && sent.at(-1) - sent[0] > 5 * holdMs, { within: 60000 });
	const longest = Math.max(...sent.slice(1).map((at, i) => at - sent[i]));
	assert.ok(longest < holdMs, `nothing was sent for ${longest} ms`);
	const { now } = await stack.admin('GET', '/default/demo');
	assert.deepEqual([now.lanes[0].waiting, now.absent], [1, 0]);
	await show();
	await untilState(page, 'prequeue');
	assert.equal(await codeOf(page), code);
}, withSlowTimers);

hiddenTest('a turn that comes while nobody looks is announced and kept, not taken', async () => {
	await hide();
	await stack.change('default/demo', { state: 'open', heartbeat_ttl_ms: 60000 });
	await until('the title calls', async () => /^It is your turn \d/.test(await page.title()));
	const { now } = await stack.admin('GET', '/default/demo');
	assert.equal(now.active, 1);
	const icon = await page.locator('link[rel=icon]').getAttribute('href');
	assert.match(icon, /fill='%230b6e69'/, 'the icon of the tab is filled');
	await until('the turn has waited for longer than a visible page would', () => page.evaluate(() =>
		performance.now() - (window.hiddenSince ??= performance.now()) > 7000), { within: 30000 });
	assert.equal(await stateOf(page), 'your_turn');
	await show();
	assert.equal(await stateOf(page), 'your_turn', 'coming back does not go in by itself');
	await page.getByRole('button', { name: 'Enter now' }).click();
	await untilSite(page);
});

hiddenTest('a tab asks at once when somebody looks at it again', async () => {
	await stack.change('default/demo', { poll_min_ms: 30000, poll_max_ms: 30000, absent_after_ms: 60000, heartbeat_ttl_ms: 120000 });
	let sent = 0;
	page.on('request', (request) => (sent += /heartbeat/.test(request.url())));
	await until('the slow pace is known', () => sent > 0);
	await hide();
	sent = 0;
	await show();
	await until('a heartbeat is sent', () => sent > 0, { within: 5000 });
});
