// What the waiting page shows: everything about the document is here, and what has to be known for it.
//
// move() is the one place where the state changes; render() writes the document, once a second and
// after every answer. Text changes only where it differs, so that nothing is read out for nothing.

const room = document.getElementById('room');
const $ = (id) => room.querySelector('#' + id);
const strings = JSON.parse(document.getElementById('strings').textContent);
const lang = room.lang;
const locale = localeOf(lang, navigator.languages ?? []);
const siteName = $('name').textContent || $('place').textContent;
const favicon = document.querySelector('link[rel=icon]'); // none in an operator's template

const t = (key, values) => fill(strings[key] ?? '', values ?? {});
const now = () => Date.now();
const isVisible = () => document.visibilityState === 'visible';

// ---- what is known ----

let state = 'joining';
let answer = null; // the last one about our place
let kept = null; // what is remembered of it
let heardAt = 0; // when that answer came
let clockAhead = Infinity; // how far this device's clock is ahead of the server's
let misses = 0; // failures in a row
let failure = null; // the last refusal
let code = ''; // the place's support code

// The estimate on the page and why it grew; whether another may replace it whatever it says.
let shown = null;
let why = '';
let isFresh = false;
let wasPaused = false;
let told = Infinity; // people ahead at the last spoken milestone

// The turn: when it ends, how long it was, when this page goes in by itself (0: not).
let enterBy = 0;
let turnMs = 1;
let enterAt = 0;
let isEntering = false;
let isNowhere = false; // let in, but there is no address to go to
let isWarned = false; // that the turn ends soon

let progress = 0; // of the quick check before a place, 0..1

// What the visitor chose.
let isFrozen = false;
let isAlert = false;
let audio = null;

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
	state = room.dataset.state = next;
	isFresh = true;
	render();
	const isTurn = state === 'your_turn';
	const fill = isTurn ? '%230b6e69' : 'none';
	if (favicon) favicon.href = favicon.href.replace(/fill='\S*'/, `fill='${fill}'`);
	announce('shout', isTurn ? `${heading()}. ${lead()}` : '');
	if (isTurn) {
		isWarned = false;
		if ($('ask').open) $('ask').close();
		$('h').focus();
		alertVisitor();
	} else {
		announce('say', spoken('note'));
		if (document.activeElement?.closest('[hidden]')) $('h').focus();
	}
}

const clock = (from, to) => clockText(locale, now(), from, to);
const people = () => pluralText(strings, lang, 'ahead', answer.ahead);
const hasAhead = () => inLine.includes(state) && answer?.ahead !== undefined;

const heading = () => t(state === 'almost' && !answer.ahead ? 'next.h' : state + '.h');

function lead() {
	if (state === 'waiting') return t('intro');
	if (isEntering) return t('your_turn.going');
	if (isNowhere) return t('your_turn.nowhere');
	if (misses > 1 && !inLine.includes(state)) return t('reconnecting.new');
	if (state === 'your_turn') return t(enterAt ? 'your_turn.auto' : 'your_turn.p', { time: clock(enterBy) });
	if (state === 'reconnecting' && !answer) return t('reconnecting.new');
	if (state === 'reconnecting') return t('reconnecting.p', { time: clock(heardAt + answer.hold_ms) });
	if (state === 'challenge' && $('captcha').firstChild) return t('challenge.person');
	return t(state + '.p');
}

// What stands in the ring, below it, and how far the ring is filled.
function dial() {
	if (state === 'your_turn') {
		const left = enterBy - now();
		return [countdownText(locale, left), t('your_turn.label'), left / turnMs];
	}
	if (state === 'challenge') {
		const percent = new Intl.NumberFormat(locale, { style: 'percent' }).format(progress);
		return [percent, t('challenge.label'), progress];
	}
	if (isTimed()) return [countdownText(locale, opensAt() - now()), t('prequeue.label'), 0];
	if (hasAhead()) return [numberText(locale, answer.ahead), people(), kept.done];
	return ['', '', 0.25];
}

// Does an hour say when the line opens, or will an operator?
const isTimed = () => state === 'prequeue' && answer?.opens_at_ms > 0;
const opensAt = () => answer.opens_at_ms + clockAhead;

function showDial(big, label, done) {
	const isBusy = !big && (state === 'joining' || state === 'reconnecting');
	say('big', big);
	$('big').style.setProperty('--shrink', Math.min(1, 6 / big.length)); // a million fits, too
	say('label', label);
	$('dial').hidden = !big && !isBusy;
	$('dial').classList.toggle('busy', isBusy);
	$('arc').style.strokeDasharray = `${Math.min(1, Math.max(0, done)) * 100} 100`;
	$('arc').style.strokeLinecap = done > 0 ? 'round' : 'butt';
	$('bar').value = done * 100;
	$('bar').hidden = !hasAhead();
	$('icon').toggleAttribute('hidden', !signs[state]);
	$('sign').setAttribute('d', signs[state] ?? '');
}

// An estimate is replaced only when it is wrong enough; a longer one comes with the reason.
function estimate() {
	const next = answer.estimated_wait_s;
	if (!shown || isFresh || hasMoved(shown.wait, next)) {
		why = hasGrown(shown?.wait, next) ? t(wasPaused ? 'why.pause' : 'why.slower') : '';
		shown = { wait: next, at: heardAt };
		isFresh = wasPaused = false;
	}
}

function showWait() {
	let range = '';
	let time = '';
	if (state === 'waiting' || state === 'almost') estimate();
	if (isTimed()) {
		range = clock(opensAt());
		if (hasAhead()) time = `${numberText(locale, answer.ahead)} ${people()}`;
	} else if (answer && shown && ['waiting', 'almost', 'reconnecting'].includes(state)) {
		const { wait, at } = shown;
		if (wait || state === 'waiting') range = waitText(strings, locale, wait);
		if (wait && wait.high > 60 && wait.high <= 86400)
			time = t('wait.clock', { time: clock(at + wait.low * 1000, at + wait.high * 1000) });
	}
	say('range', range);
	say('clock', time);
	say('why', range && state !== 'prequeue' ? why : '');
	if (state === 'paused') wasPaused = true;
}

// What the operator says: to those in line, and to those who are not taken in.
function message(isInLine) {
	const isRefused = state === 'full' || state === 'closed';
	const source = isInLine || state === 'your_turn' ? answer : isRefused && failure?.queue;
	return (source && (source.messages?.[lang] ?? source.message)) || '';
}

function showNotes(isInLine) {
	const isSafe = isInLine && state !== 'reconnecting';
	const minutes = isSafe && Math.max(1, Math.floor(answer.hold_ms / 60000));
	const words = message(isInLine);
	if (words && words !== $('note').textContent) announce('say', words); // a new state says it with the rest
	say('note', words);
	say('age', isInLine ? t('age', { ago: agoText(locale, now() - answer.as_of_ms - clockAhead) }) : '');
	say('safe', isSafe ? t('safe', { time: unitText(locale, 'minute', minutes, minutes) }) : t(state + '.safe'));
	say('number', (state !== 'joining' && (code || failure?.request_id)) || '');
	$('code').hidden = $('number').hidden;
}

function showButtons(isInLine) {
	const needsMore = state === 'your_turn' && (enterAt || enterBy - now() < 60000);
	say('go', isEntering || isNowhere ? '' : t(buttons[state]));
	say('more', needsMore && !isEntering ? t('your_turn.more') : '');
	$('tools').hidden = !isInLine;
}

const spoken = (...more) =>
	['h', 'big', 'label', 'range', ...more]
		.filter((id) => !$(id).hidden)
		.map((id) => $(id).textContent)
		.join(' ');

// A screen reader hears of the way forward each time that it has halved, and that the turn ends.
function tellMilestones() {
	if (hasAhead() && state !== 'reconnecting' && !(answer.ahead > told / 2)) {
		if (told !== Infinity) announce('say', spoken());
		told = answer.ahead;
	}
	if (state === 'your_turn' && enterBy - now() < 60000 && !isWarned) {
		isWarned = true;
		announce('shout', `${$('big').textContent} ${$('label').textContent}`);
	}
}

function title(big) {
	if (state === 'your_turn') return `${heading()} ${big}`;
	const ahead = hasAhead() && answer.ahead ? `(${numberText(locale, answer.ahead)}) ` : '';
	return `${ahead}${heading()} – ${siteName}`;
}

function render() {
	const isInLine = inLine.includes(state) && answer !== null;
	const isDrawn = room.dataset.drawn === state;
	if (isFrozen && isInLine && isDrawn) return;
	const [big, label, done] = dial();
	document.title = title(big);
	if (!isVisible() && isDrawn) return;
	room.dataset.drawn = state;
	say('h', heading());
	say('lead', lead());
	showDial(big, label, done);
	showWait();
	showNotes(isInLine);
	showButtons(isInLine);
	tellMilestones();
}

// ---- sounding ----

function ring() {
	[660, 880].forEach((pitch, i) => {
		const tone = audio.createOscillator();
		const volume = audio.createGain();
		const at = audio.currentTime + i * 0.25;
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
		new Notification(t('your_turn.h'), { body: siteName, tag: siteName }).onclick = () => self.focus();
	} catch {}
}
