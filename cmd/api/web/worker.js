'use strict';
// Worker of the waiting page: a clock that is not slowed down in a hidden tab, and the arithmetic
// of the proof of work.
//
// To it     {wake: ms}                          say 'wake' after so long; replaces the wish before
//           {solve: {challenge, puzzles, bits}} begin
//           {run: true|false}                   go on with it, or rest while the page is hidden
// From it   {wake: true}, {progress: 0..1}, {solution: [nonce, …]}
//
// A puzzle: the smallest n for which SHA-256("<challenge>:<i>:<n>") begins with so many zero bits.
// Only the end of the text changes from try to try, so the blocks before it are hashed once.

const K = new Int32Array(64),
	START = new Int32Array(8);
(() => {
	// The constants of SHA-256 are the first bits of roots of the first primes.
	const bits = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
	for (let n = 2, found = 0; found < 64; n++) {
		let isPrime = true;
		for (let d = 2; d * d <= n; d++) isPrime &&= n % d > 0;
		if (!isPrime) continue;
		if (found < 8) START[found] = bits(Math.sqrt(n));
		K[found++] = bits(Math.cbrt(n));
	}
})();

const schedule = new Int32Array(64);

// One block of 64 bytes into the state.
function compress(state, view, at) {
	const w = schedule;
	for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
	for (let i = 16; i < 64; i++) {
		const x = w[i - 15],
			y = w[i - 2];
		const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
		const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
		w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
	}
	let [a, b, c, d, e, f, g, h] = state;
	for (let i = 0; i < 64; i++) {
		const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
		const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
		const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
		const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
		h = g;
		g = f;
		f = e;
		e = (d + t1) | 0;
		d = c;
		c = b;
		b = a;
		a = (t1 + t2) | 0;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

// A text without its last few digits: whole blocks are hashed, the rest waits for the digits.
function begin(text) {
	const bytes = new TextEncoder().encode(text),
		whole = bytes.length & ~63;
	const state = START.slice(),
		view = new DataView(bytes.buffer);
	for (let at = 0; at < whole; at += 64) compress(state, view, at);
	return { state, rest: bytes.slice(whole), len: bytes.length };
}

const tail = new Uint8Array(128),
	tailView = new DataView(tail.buffer),
	state = new Int32Array(8);

// The state after the beginning and the digits of n.
function finish(start, n) {
	const digits = String(n);
	let len = start.rest.length;
	tail.fill(0);
	tail.set(start.rest);
	for (let i = 0; i < digits.length; i++) tail[len++] = digits.charCodeAt(i);
	tail[len] = 128;
	const end = len < 56 ? 64 : 128;
	tailView.setUint32(end - 4, (start.len + digits.length) * 8);
	state.set(start.state);
	for (let at = 0; at < end; at += 64) compress(state, tailView, at);
	return state;
}

function hasZeros(hash, bits) {
	return bits <= 32 ? Math.clz32(hash[0]) >= bits : hash[0] === 0 && Math.clz32(hash[1]) >= bits - 32;
}

let task = null,
	timer = 0,
	nextStep = 0;

// A few milliseconds of work, then the messages that came meanwhile.
function step() {
	const until = performance.now() + 30;
	while (performance.now() < until) {
		for (let tries = 0; tries < 256; tries++) {
			if (!hasZeros(finish(task.start, task.n), task.bits)) {
				task.n++;
				continue;
			}
			task.solution.push(task.n);
			task.n = 0;
			if (task.solution.length === task.puzzles) {
				postMessage({ solution: task.solution });
				task = null;
				return;
			}
			task.start = begin(`${task.challenge}:${task.solution.length}:`);
			postMessage({ progress: task.solution.length / task.puzzles });
		}
	}
	nextStep = setTimeout(step);
}

onmessage = ({ data }) => {
	if ('wake' in data) {
		clearTimeout(timer);
		timer = setTimeout(() => postMessage({ wake: true }), data.wake);
	}
	if (data.solve) task = { ...data.solve, solution: [], n: 0, start: begin(`${data.solve.challenge}:0:`) };
	if ('run' in data) {
		clearTimeout(nextStep);
		if (data.run && task) step();
	}
};
