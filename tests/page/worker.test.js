// The waiting page's worker (cmd/api/web/worker.js): its clock, and a proof of work that holds.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';

const source = readFileSync(new URL('../../cmd/api/web/worker.js', import.meta.url), 'utf8');
const sha256 = (text) => createHash('sha256').update(text).digest();
const zeroBits = (hash) => Math.clz32(hash.readUInt32BE(0));

// A worker whose messages can be waited for.
function startWorker() {
	const heard = [];
	let wakeUp = () => {};
	const context = vm.createContext({
		performance,
		setTimeout,
		clearTimeout,
		TextEncoder,
		postMessage: (message) => {
			heard.push(message);
			wakeUp();
		},
	});
	vm.runInContext(source, context);
	return {
		heard,
		tell: (data) => context.onmessage({ data }),
		call: (code) => vm.runInContext(code, context),
		async hears(key) {
			while (!heard.some((message) => key in message))
				await new Promise((resolve) => (wakeUp = resolve));
			return heard.find((message) => key in message)[key];
		},
	};
}

test('its SHA-256 is SHA-256 at every length around a block', () => {
	const worker = startWorker();
	for (const length of [0, 1, 46, 47, 54, 55, 56, 63, 64, 65, 110, 119, 120, 127, 128, 300])
		for (const n of [0, 7, 123456789]) {
			const text = 'x'.repeat(length);
			const words = worker.call(`finish(begin('${text}'), ${n})`);
			const hex = Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
			assert.equal(hex, sha256(text + n).toString('hex'), `${length} and ${n}`);
		}
});

test('it finds the smallest number of every puzzle and tells how far it is', async () => {
	const worker = startWorker();
	worker.tell({ solve: { challenge: 'c.h', puzzles: 8, bits: 8 }, run: true });
	const solution = await worker.hears('solution');
	assert.equal(solution.length, 8);
	solution.forEach((found, i) => {
		for (let n = 0; n <= found; n++) assert.equal(zeroBits(sha256(`c.h:${i}:${n}`)) >= 8, n === found);
	});
	assert.deepEqual(
		worker.heard.filter((m) => 'progress' in m).map((m) => m.progress * 8),
		[1, 2, 3, 4, 5, 6, 7],
	);
});

test('it rests while the page is hidden and goes on where it was', async () => {
	const worker = startWorker();
	worker.tell({ solve: { challenge: 'c', puzzles: 40, bits: 14 }, run: false });
	await worker.tell({ wake: 1 });
	await worker.hears('wake');
	assert.equal(worker.heard.length, 1, 'nothing was solved while hidden');
	worker.tell({ run: true });
	worker.tell({ run: false });
	const before = worker.heard.length;
	worker.tell({ wake: 50 });
	while (worker.heard.filter((m) => 'wake' in m).length < 2) await new Promise(setImmediate);
	assert.equal(worker.heard.length, before + 1);
	worker.tell({ run: true });
	assert.equal((await worker.hears('solution')).length, 40);
});

test('a later wish to be woken replaces the earlier one', async () => {
	const worker = startWorker();
	worker.tell({ wake: 20 });
	worker.tell({ wake: 40 });
	await worker.hears('wake');
	await new Promise((resolve) => setTimeout(resolve, 60));
	assert.equal(worker.heard.length, 1);
});
