// The waiting page: takes a place, asks as often as the server says where it stands, shows it.
//
// poll() asks; take() sorts what comes back: an answer, a refusal that ends the wait, a failure;
// render() writes the document, once a second and after every answer. Other tabs of this browser
// hear every answer, so that a place is asked for once, however many tabs show it.

const room = document.getElementById('room');
const $ = (id) => room.querySelector('#' + id);
const strings = JSON.parse(document.getElementById('strings').textContent);
const lang = room.lang;
const query = new URLSearchParams(location.search);
const queue = location.pathname.split('/').filter(Boolean).slice(-2).join('/');
const isPreview = query.has('preview');
const siteName = $('name').textContent || $('place').textContent;

const favicon = document.querySelector('link[rel=icon]');

const t = (key, values) => fill(strings[key] ?? '', values ?? {});
const now = () => Date.now();
const isVisible = () => document.visibilityState === 'visible';

// Storage may be forbidden; then nothing survives a reload but the cookie.
function stored(key, value) {
	try {
		if (isPreview) return null;
		if (value === undefined) return JSON.parse(sessionStorage.getItem(`${key} ${queue}`));
		sessionStorage.setItem(`${key} ${queue}`, JSON.stringify(value));
	} catch {}
	return null;
}

let state = 'joining';
let answer = null; // the last one about our place
let kept = stored('kept');
let hasPlace = false;
let mayJoin = true; // not after leaving, until asked to
let isAsking = false;
let misses = 0,
	lostAt = 0;
let heardAt = 0; // when the last good answer came
let clockAhead = Infinity; // how far this device's clock is ahead of the server's
let dueAt = 0; // of the next poll
let shown = null,
	isFresh = false,
	why = '',
	wasPaused = false; // the estimate on the page
let told = Infinity; // people ahead at the last spoken milestone
let enterBy = 0,
	enterAt = 0; // the turn ends; this page enters by itself (0: not)
let turnMs = 1,
	isWarned = false;
let isEntering = false,
	isNowhere = false; // going in; let in, but there is no address to go to
let isFrozen = false,
	isAlert = false,
	audio = null;
let failure = null,
	code = '';
let check = null,
	proof = null,
	progress = 0; // the quick check before a place

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
	if (last?.id !== kept.id) ((told = Infinity), (shown = null));
	if (last?.id !== kept.id || !code) nameCode(kept.id);
	answer = { ...body, ahead: kept.ahead };
	// Another tab has asked for us: this one stays a little behind it.
	wake(body.poll_after_ms * (isFromOther ? 1.25 : 1));
	if (body.status === 'admitted') {
		enterBy = heardAt + body.enter_within_ms;
		// Whoever has just been there and is here again came back, or was sent back: no going in circles.
		const isFree = isVisible() && heardAt - (stored('went') ?? 0) > 60000;
		if (isJoin && isFree && body.redirect_url) return go(body.redirect_url);
		if (state !== 'your_turn') ((enterAt = isFree ? heardAt + 5000 : 0), (turnMs = 1));
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
		else ((progress = data.progress), render());
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
if (channel) channel.onmessage = ({ data }) => take(data, true);

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

function ring() {
	[660, 880].forEach((pitch, i) => {
		const tone = audio.createOscillator(),
			volume = audio.createGain(),
			at = audio.currentTime + i * 0.25;
		tone.frequency.value = pitch;
		volume.gain.setValueAtTime(0.2, at);
		volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
		tone.connect(volume).connect(audio.destination);
		tone.start(at);
		tone.stop(at + 0.4);
	});
}

function alertVisitor() {
	if (!isAlert) return;
	navigator.vibrate?.([200, 100, 200]);
	if (audio) ring();
	if (isVisible()) return;
	try {
		// Chrome on Android refuses this; the sound and the title stay.
		new Notification(t('your_turn.h'), { body: siteName, tag: queue }).onclick = () => self.focus();
	} catch {}
}

// ---- showing ----

const inLine = ['prequeue', 'waiting', 'almost', 'paused', 'reconnecting'];
const signs = {
	missed: 'M24 13v12l8 4',
	expired: 'M24 13v12l8 4',
	ended: 'M16 25l6 6 11-13',
	left: 'M30 24H14m7-7l-7 7 7 7',
	full: 'M15 24h18',
	closed: 'M16 16l16 16m0-16l-16 16',
	moved: 'M15 24h18m-7-7l7 7-7 7',
	invite: 'M13 17h22v15H13zl11 9 11-9',
	error: 'M24 14v12m0 7v.1',
};
const buttons = {
	missed: 'join',
	expired: 'join',
	left: 'join',
	ended: 'join',
	moved: 'moved.b',
	closed: 'again',
	error: 'again',
	your_turn: 'your_turn.enter',
};

function say(id, text) {
	const element = $(id);
	if (element.textContent !== text) element.textContent = text;
	element.hidden = !text;
}

function announce(id, text) {
	if ($(id).textContent !== text) $(id).textContent = text;
}

// The one place where the state changes; what is said and sounds at a change is here.
function move(next) {
	if (next === state) return;
	if (favicon)
		favicon.href = favicon.href.replace(
			/fill='\S*'/,
			`fill='${next === 'your_turn' ? '%230b6e69' : 'none'}'`,
		);
	state = room.dataset.state = next;
	isFresh = true;
	render();
	if (next === 'your_turn') {
		if ($('ask').open) $('ask').close();
		announce('shout', heading() + '. ' + $('lead').textContent);
		$('h').focus();
		alertVisitor();
		isWarned = false;
	} else {
		announce('shout', '');
		announce('say', spoken());
		if (document.activeElement?.closest('[hidden]')) $('h').focus();
	}
}

const heading = () => t(state === 'almost' && !answer.ahead ? 'next.h' : state + '.h');

function lead() {
	const clock = (ms) => clockText(lang, now(), ms);
	if (state === 'waiting') return t('intro');
	if (isEntering) return t('your_turn.going');
	if (isNowhere) return t('your_turn.nowhere');
	if (misses > 1 && !inLine.includes(state)) return t('reconnecting.new');
	if (state === 'your_turn') return t(enterAt ? 'your_turn.auto' : 'your_turn.p', { time: clock(enterBy) });
	if (state === 'reconnecting')
		return answer
			? t('reconnecting.p', { time: clock(heardAt + answer.hold_ms) })
			: t('reconnecting.new');
	if (state === 'challenge' && $('captcha').firstChild) return t('challenge.person');
	return t(state + '.p');
}

// Replaced only when it is wrong enough; a longer one comes with the reason.
function estimate() {
	const next = answer.estimated_wait_s;
	if (!shown || isFresh || hasMoved(shown.wait, next)) {
		why = !shown || !hasGrown(shown.wait, next) ? '' : t(wasPaused ? 'why.pause' : 'why.slower');
		shown = { wait: next, at: heardAt };
		isFresh = wasPaused = false;
	}
	return shown;
}

function bigAndLabel() {
	if (state === 'your_turn')
		return [countdownText(lang, enterBy - now()), t('your_turn.label'), (enterBy - now()) / turnMs];
	if (state === 'challenge')
		return [
			new Intl.NumberFormat(lang, { style: 'percent' }).format(progress),
			t('challenge.label'),
			progress,
		];
	if (state === 'prequeue')
		return [countdownText(lang, answer.opens_at_ms + clockAhead - now()), t('prequeue.label'), 0];
	if (inLine.includes(state) && answer?.ahead !== undefined)
		return [numberText(lang, answer.ahead), pluralText(strings, lang, 'ahead', answer.ahead), kept.done];
	return ['', '', 0.25];
}

const spoken = () =>
	['h', 'big', 'label', 'range']
		.map((id) => $(id))
		.filter((element) => !element.hidden && element.textContent)
		.map((element) => element.textContent)
		.join(' ');

function title(big) {
	if (state === 'your_turn') return `${heading()} ${big}`;
	const ahead = inLine.includes(state) && answer?.ahead ? `(${numberText(lang, answer.ahead)}) ` : '';
	return `${ahead}${heading()} – ${siteName}`;
}

function render() {
	const isInLine = inLine.includes(state) && answer !== null;
	const isDrawn = room.dataset.drawn === state;
	if (isFrozen && isInLine && isDrawn) return;
	const [big, label, done] = bigAndLabel();
	document.title = title(big);
	if (!isVisible() && isDrawn) return;
	room.dataset.drawn = state;
	say('h', heading());
	say('lead', lead());
	say('big', big);
	say('label', label);
	const isBusy = !big && (state === 'joining' || state === 'reconnecting');
	$('dial').hidden = !big && !isBusy;
	$('dial').classList.toggle('busy', isBusy);
	$('arc').style.strokeDasharray = `${Math.min(1, Math.max(0, done)) * 100} 100`;
	$('arc').style.strokeLinecap = done > 0 ? 'round' : 'butt';
	$('bar').value = done * 100;
	$('bar').hidden = !isInLine;
	$('icon').toggleAttribute('hidden', !signs[state]);
	$('sign').setAttribute('d', signs[state] ?? '');
	const hasWait =
		isInLine && (state === 'waiting' || state === 'almost' || (state === 'reconnecting' && shown));
	const { wait, at } = hasWait ? (state === 'reconnecting' ? shown : estimate()) : {};
	const hasClock = wait && wait.high > 60 && wait.high <= 86400;
	if (state === 'prequeue') {
		say('range', clockText(lang, now(), answer.opens_at_ms + clockAhead));
		say(
			'clock',
			answer.ahead === undefined
				? ''
				: `${numberText(lang, answer.ahead)} ${pluralText(strings, lang, 'ahead', answer.ahead)}`,
		);
	} else {
		say('range', hasWait && (wait || state === 'waiting') ? waitText(strings, lang, wait) : '');
		say(
			'clock',
			hasClock
				? t('wait.clock', {
						time: clockText(lang, now(), at + wait.low * 1000, at + wait.high * 1000),
					})
				: '',
		);
	}
	say('why', hasWait ? why : '');
	say('note', ((isInLine || state === 'your_turn') && (answer.messages?.[lang] ?? answer.message)) || '');
	say('age', isInLine ? t('age', { ago: agoText(lang, now() - answer.as_of_ms - clockAhead) }) : '');
	say(
		'safe',
		isInLine && state !== 'reconnecting'
			? t('safe', {
					time: unitText(
						lang,
						'minute',
						...Array(2).fill(Math.max(1, Math.floor(answer.hold_ms / 60000))),
					),
				})
			: '',
	);
	say('go', isEntering || isNowhere ? '' : t(buttons[state]));
	say(
		'more',
		state === 'your_turn' && !isEntering && (enterAt || enterBy - now() < 60000)
			? t('your_turn.more')
			: '',
	);
	$('tools').hidden = !isInLine;
	say('number', state === 'joining' ? '' : code || failure?.request_id || '');
	$('code').hidden = $('number').hidden;
	if (isInLine && answer.ahead !== undefined && state !== 'reconnecting') {
		if (told !== Infinity && answer.ahead <= told / 2) announce('say', spoken());
		if (told === Infinity || answer.ahead <= told / 2) told = answer.ahead;
	}
	if (state === 'paused') wasPaused = true;
}

async function nameCode(id) {
	if (self.crypto?.subtle)
		code = supportCode(
			new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id))),
		);
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
	if (state === 'your_turn' && enterBy - now() < 60000 && !isWarned)
		((isWarned = true), announce('shout', `${$('big').textContent} ${t('your_turn.label')}`));
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
	if (name === 'reconnecting') ((heardAt -= 95000), (clockAhead -= 95000));
	if (name === 'challenge') progress = 0.42;
	dueAt = 0;
	move(strings[name + '.h'] ? name : 'waiting');
	render();
}

if (isPreview) preview(query.get('state') ?? 'waiting');
else poll();
