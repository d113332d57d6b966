// The waiting page: takes a place, asks as often as the server says where it stands, goes in.
//
// poll() asks; take() sorts what comes back: an answer, a refusal that ends the wait, a failure. Other
// tabs of this browser hear every answer, so that a place is asked for once, however many tabs show it.

const query = new URLSearchParams(location.search);
const queue = location.pathname.split('/').filter(Boolean).slice(-2).join('/');
const isPreview = query.has('preview');

let hasPlace = false;
let mayJoin = true; // not after leaving, until asked to
let isAsking = false;
let lostAt = 0; // first failure in a row
let dueAt = 0; // of the next poll
let check = null; // the quick check that is asked for,
let proof = null; // and what goes with the join to show that it was done

// Storage may be forbidden; then nothing survives a reload but the cookie.
function stored(key, value) {
	try {
		if (isPreview) return null;
		if (value === undefined) return JSON.parse(sessionStorage.getItem(`${key} ${queue}`));
		sessionStorage.setItem(`${key} ${queue}`, JSON.stringify(value));
	} catch {}
	return null;
}

kept = stored('kept');

// ---- asking ----

async function ask(path, body, headers) {
	try {
		const response = await fetch('../../' + path, {
			method: 'POST',
			body,
			headers,
			cache: 'no-store',
			signal: AbortSignal.timeout?.(10000),
		});
		const text = await response.text();
		const retry = Number(response.headers.get('Retry-After')) * 1000;
		return { status: response.status, body: text && JSON.parse(text), retry };
	} catch {
		return { status: 0 };
	}
}

// claim=0: we are here, but the turn is not taken up before the visitor goes in.
const beat = () => ask(`heartbeat?queue=${queue}&claim=0`);
const hasNone = (reply) => reply.status === 204 || reply.status === 401;

// The key stays the same until there is an answer, so that asking again cannot take a second place.
async function enqueue(proof) {
	const key = stored('key') ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
	stored('key', key);
	const wish = JSON.stringify({
		queue_id: queue,
		target: decodeTarget(query.get('t')),
		entry: query.get('entry') ?? undefined,
		...proof,
	});
	const reply = await ask('enqueue', wish, { 'Content-Type': 'application/json', 'Idempotency-Key': key });
	if (reply.status && reply.status < 429 && reply.status !== 403) stored('key', null);
	// The key was used with another target, by a tab that this one is a copy of.
	if (reply.body?.code === 'idempotency_key_reused') return enqueue(proof);
	return { ...reply, isJoin: true };
}

// One tab at a time looks for a place and takes one if there is none.
const alone = (job) => (navigator.locks ? navigator.locks.request('wr ' + queue, job) : job());

async function find(proof, isForced) {
	if (!isForced) {
		const reply = await beat();
		const ending = stateOfProblem[reply.body?.code];
		// Whoever comes back after an earlier visit wants a new place.
		const isOver = state === 'joining' && (ending === 'left' || ending === 'ended');
		if (!hasNone(reply) && !isOver) return reply;
	}
	return mayJoin ? enqueue(proof) : { status: 410, body: { code: 'place_left' } };
}

async function poll(proof, isForced) {
	if (isAsking || isPreview || isEntering) return;
	isAsking = true;
	dueAt = 0;
	let reply = hasPlace ? await beat() : null;
	if (!reply || hasNone(reply)) reply = await alone(() => find(proof, isForced));
	isAsking = false;
	take(reply);
	if (reply.status === 200 || reply.status === 201) channel?.postMessage(reply);
}

function take(reply, isFromOther) {
	const { status, body, retry } = reply;
	if (isFromOther && isEntering) return;
	const ending = stateOfProblem[body?.code];
	if (status === 200 || status === 201) answered(body, reply.isJoin && !isFromOther, isFromOther);
	else if (ending) refused(ending, body, retry);
	else if (!status || status === 429 || status >= 500) missed(retry);
	else fail(body);
	render();
}

function answered(body, isJoin, isFromOther) {
	hasPlace = true;
	misses = lostAt = 0;
	heardAt = now();
	clockAhead = Math.min(clockAhead, heardAt - body.as_of_ms);
	const last = kept;
	kept = keep(kept, body);
	stored('kept', kept);
	if (last?.id !== kept.id) {
		told = Infinity;
		shown = null;
	}
	code = supportCode(kept.id);
	answer = { ...body, ahead: kept.ahead };
	// Another tab has asked for us: this one stays a little behind it.
	wake((body.poll_after_ms ?? 10000) * (isFromOther ? 1.25 : 1));
	if (body.status === 'admitted') {
		enterBy = heardAt + body.enter_within_ms;
		// Whoever has just been there and is here again came back, or was sent back: no going in circles.
		const isFree = isVisible() && heardAt - (stored('went') ?? 0) > 60000;
		if (isJoin && isFree && body.redirect_url) return go(body.redirect_url);
		if (state !== 'your_turn') {
			enterAt = isFree ? heardAt + 5000 : 0;
			turnMs = 1;
		}
		turnMs = Math.max(turnMs, body.enter_within_ms);
	}
	move(stateOf(answer));
}

function refused(ending, body, retry) {
	hasPlace = false;
	misses = lostAt = dueAt = 0;
	failure = body;
	if (ending === 'left') mayJoin = false;
	if (ending === 'challenge') return prove(body.challenge);
	if (ending === 'full' || ending === 'closed') wake(ending === 'full' && retry ? retry : 60000);
	move(ending);
}

// Two misses in a row are worth a word; the first may be chance.
function missed(retry) {
	misses++;
	lostAt ||= now();
	wake(retry || backoffMs(misses, Math.random()));
	if (misses > 1 && (state === 'joining' || inLine.includes(state))) move('reconnecting');
}

function fail(body) {
	dueAt = 0;
	failure = body;
	move('error');
}

// ---- when to ask ----

let worker = null;
let timer = 0;
try {
	worker = new Worker(room.dataset.worker);
	worker.onmessage = ({ data }) => {
		if (data.wake) alarm();
		else if (data.solution) poll({ ...proof, solution: data.solution });
		else progress = data.progress;
		render();
	};
	worker.onerror = () => {
		worker = null;
		if (dueAt) wake(dueAt - now());
		if (state === 'challenge') prove(check);
	};
} catch {}

const alarm = () => dueAt && poll();

function wake(ms) {
	dueAt = now() + ms;
	clearTimeout(timer);
	if (worker) worker.postMessage({ wake: ms });
	else timer = setTimeout(alarm, ms);
}

// Somebody looks at the page again, or the network is back: at once, but not all in one moment.
function soon() {
	if (dueAt) wake(Math.random() * 1000);
}

const channel = self.BroadcastChannel && !isPreview ? new BroadcastChannel('wr ' + queue) : null;
if (channel)
	channel.onmessage = ({ data }) => {
		if (data.leaving) mayJoin = false;
		else take(data, true);
	};

// ---- the quick check ----

const captchas = {
	turnstile: ['cf-turnstile', 'https://challenges.cloudflare.com/turnstile/v0/api.js'],
	hcaptcha: ['h-captcha', 'https://js.hcaptcha.com/1/api.js'],
	friendly: ['frc-captcha', 'https://cdn.jsdelivr.net/npm/@friendlycaptcha/sdk@0.1.26/site.min.js'],
};

function prove(asked) {
	const { kind, challenge, puzzles, bits, site_key, wait_ms } = (check = asked);
	proof = { challenge };
	progress = 0;
	move('challenge');
	if (captchas[kind]) return askPerson(...captchas[kind], site_key);
	if (!worker) return setTimeout(() => poll(proof), wait_ms); // waiting is proof, too
	worker.postMessage({ solve: { challenge, puzzles, bits }, run: isVisible() });
}

// The provider's script finds its element by class and calls back by name.
function askPerson(name, url, key) {
	if ($('captcha').firstChild) return location.reload();
	const box = document.createElement('div');
	box.className = name;
	box.dataset.sitekey = key;
	box.dataset.callback = 'confirmed';
	box.addEventListener('frc:widget.complete', (event) => confirmed(event.detail.response));
	$('captcha').append(box);
	const script = document.createElement('script');
	script.src = url;
	script.onerror = () => fail();
	document.head.append(script);
}

self.confirmed = (response) => poll({ ...proof, captcha: response });

// ---- your turn ----

function go(url) {
	isEntering = true;
	stored('went', now());
	if (/^https?:/.test(url)) location.replace(url);
}

async function enter() {
	if (isEntering || isPreview) return;
	isEntering = true;
	enterAt = 0;
	render();
	const reply = await ask(`heartbeat?queue=${queue}`);
	if (reply.body?.redirect_url) return go(reply.body.redirect_url);
	isEntering = false;
	isNowhere = reply.status === 200 && reply.body.status === 'admitted';
	take(reply);
}

// The first press stops the page from going in by itself. Close to the end, another one takes up
// the turn: from then on the time of the visit counts, which is longer.
async function moreTime() {
	const isLate = enterBy - now() < 60000;
	enterAt = 0;
	render();
	$('go').focus();
	if (isLate && !isPreview) take(await ask(`heartbeat?queue=${queue}`));
}

// ---- what the visitor does ----

$('go').onclick = () => {
	if (isPreview) return;
	if (state === 'your_turn') return enter();
	const isForced = state === 'moved';
	stored('key', null);
	mayJoin = true;
	move('joining');
	poll(null, isForced);
};
$('more').onclick = moreTime;
$('alert').onclick = async () => {
	isAlert = !isAlert;
	$('alert').setAttribute('aria-pressed', isAlert);
	if (!isAlert) return;
	try {
		audio ??= new AudioContext();
		await audio.resume();
		await self.Notification?.requestPermission();
	} catch {}
};
$('freeze').onclick = () => {
	isFrozen = !isFrozen;
	$('freeze').setAttribute('aria-checked', isFrozen);
	render();
};
$('leave').onclick = () => $('ask').showModal();
$('stay').onclick = () => $('ask').close();
$('go-away').onclick = async () => {
	$('ask').close();
	if (isPreview) return;
	mayJoin = false;
	channel?.postMessage({ leaving: true }); // before another tab finds no place and takes one
	const reply = await ask(`leave?queue=${queue}`);
	if (reply.status !== 200 && !hasNone(reply) && reply.status !== 410) return missed();
	const left = { status: 410, body: { code: 'place_left' } };
	channel?.postMessage(left);
	take(left);
};
$('language').onchange = ({ target }) => {
	document.cookie = `wr-lang=${target.value}; Path=/; Max-Age=31536000; SameSite=Lax`;
	query.set('lang', target.value);
	location.search = query;
};

document.addEventListener('visibilitychange', () => {
	worker?.postMessage({ run: isVisible() });
	if (isVisible()) soon();
	else enterAt = 0; // nobody goes in unseen
	render();
});
document.addEventListener('resume', soon);
self.addEventListener('online', soon);
self.addEventListener('pageshow', ({ persisted }) => {
	if (!persisted) return;
	isEntering = false;
	wake(Math.random() * 1000);
});

setInterval(() => {
	if (enterAt && now() >= enterAt) enter();
	if (lostAt && now() - lostAt > 60000) announce('shout', lead());
	if (dueAt && now() > dueAt + 5000) poll(); // the clock has stopped
	render();
}, 1000);

// ---- begin ----

// A look at a state, for operators: examples instead of a place, and no network.
function preview(name) {
	const base = {
		status: 'waiting',
		position_id: 'preview',
		ahead: 1203,
		waiting: 4820,
		hold_ms: 300000,
		as_of_ms: now(),
		estimated_wait_s: { low: 720, high: 1080 },
		message: '',
		enter_within_ms: 600000,
		poll_after_ms: 1e9,
	};
	const samples = {
		prequeue: { opens_at_ms: now() + 1420000 },
		almost: { ahead: 7, estimated_wait_s: { low: 0, high: 50 } },
		paused: { paused: true, estimated_wait_s: null, message: t('paused.sample') },
		your_turn: { status: 'admitted' },
	};
	kept = { id: 'preview', first: 3100, done: 0 };
	if (['waiting', 'reconnecting'].includes(name) || samples[name]) answered({ ...base, ...samples[name] });
	if (name === 'reconnecting') {
		heardAt -= 95000;
		clockAhead -= 95000;
	}
	if (name === 'challenge') progress = 0.42;
	dueAt = 0;
	move(strings[name + '.h'] ? name : 'waiting');
	render();
}

if (isPreview) preview(query.get('state') ?? 'waiting');
else poll();
