'use strict';
// Rules of the waiting page: what is decided and how it is said, without clock, network or document.
// Times are in ms, estimates in s; 'strings' are those of the page's language.

// How long to wait after this many failures in a row: 1..60 s with full jitter, so that a crowd
// that lost its connection at one moment does not come back at one moment.
function backoffMs(misses, random) {
	return 1000 + random * (Math.min(60000, 1000 * 2 ** misses) - 1000);
}

// People read a number that jumps as a promise that broke: a shown estimate is replaced only when
// it is wrong by more than a minute and more than a tenth.
const slackS = (seconds) => Math.max(60, seconds / 10);

function hasMoved(shown, next) {
	if (!shown || !next) return !shown !== !next;
	return ['low', 'high'].some((end) => Math.abs(next[end] - shown[end]) > slackS(shown[end]));
}

function hasGrown(shown, next) {
	return !!shown && !!next && next.high - shown.high > slackS(shown.high);
}

// What the page remembers of a place. A number never grows for the same place, unless a new token
// says that the line was rebuilt; the progress never falls.
function keep(kept, answer) {
	if (!kept || kept.id !== answer.position_id) kept = { id: answer.position_id, done: 0 };
	let ahead = answer.ahead ?? kept.ahead;
	if (!answer.token && kept.ahead < ahead) ahead = kept.ahead;
	const first = Math.max(kept.first ?? 0, ahead ?? 0);
	const done = ahead === undefined ? 0 : 1 - (ahead + 1) / (first + 1);
	return { ...kept, ahead, first, done: Math.max(kept.done, done) };
}

// Which page shows an answer of the server.
function stateOf(answer) {
	const wait = answer.estimated_wait_s;
	if (answer.status === 'admitted') return 'your_turn';
	if (answer.opens_at_ms) return 'prequeue';
	if (answer.paused) return 'paused';
	if (answer.state === 'hold') return 'prequeue';
	const isNear = answer.ahead < Math.max(1, answer.waiting / 100) || (wait && wait.high <= 60);
	return answer.ahead !== undefined && isNear ? 'almost' : 'waiting';
}

// Which page shows a refusal, by its problem code.
const stateOfProblem = {
	place_expired: 'expired',
	place_left: 'left',
	turn_missed: 'missed',
	session_ended: 'ended',
	queue_closed: 'closed',
	queue_full: 'full',
	place_moved: 'moved',
	challenge_required: 'challenge',
	entry_required: 'invite',
};

// The support code of a place, to be read out over the telephone: the first 45 bits of the position
// id, as nine digits of Crockford's base 32 (lib/core/support_code.c).
function supportCode(id) {
	let bits = 0,
		code = '';
	const text = id.padEnd(8, 'A').slice(0, 8).replace(/-/g, '+').replace(/_/g, '/');
	for (const c of atob(text)) bits = bits * 256 + c.charCodeAt(0);
	bits = Math.floor(bits / 8);
	for (let i = 0; i < 9; i++, bits = Math.floor(bits / 32))
		code = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[bits % 32] + (i % 3 || !i ? '' : '-') + code;
	return code;
}

// The text of ?t=: base64url of UTF-8.
function decodeTarget(text) {
	if (!/^[\w-]+$/.test(text ?? '')) return undefined;
	const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
	return new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
}

const fill = (text, values) => text.replace(/{(\w+)}/g, (all, name) => values[name] ?? all);

// How the visitor's country writes numbers and times, in the language of the page: "19:10" to a Briton.
const localeOf = (lang, wanted) =>
	wanted.find((each) => each === lang || each.startsWith(lang + '-')) ?? lang;

const numberText = (lang, n) => new Intl.NumberFormat(lang, { useGrouping: 'always' }).format(n);

function pluralText(strings, lang, key, n) {
	const form = strings[`${key}.${new Intl.PluralRules(lang).select(n)}`] ?? strings[`${key}.other`];
	return fill(form, { n: numberText(lang, n) });
}

// From and to as one text: "12–18 minutes", "14:35 – 14:41".
function rangeText(format, from, to) {
	if (from === to) return format.format(to);
	return format.formatRange
		? format.formatRange(from, to)
		: `${format.format(from)} – ${format.format(to)}`;
}

const unitText = (lang, unit, from, to) =>
	rangeText(new Intl.NumberFormat(lang, { style: 'unit', unit, unitDisplay: 'long' }), from, to);

// Rounded outward: a shorter wait than announced is forgiven, a longer one is not.
function waitText(strings, lang, wait) {
	if (!wait) return strings['wait.unknown'];
	if (wait.high <= 60) return strings['wait.soon'];
	if (wait.high > 86400) return strings['wait.day'];
	const [unit, step] = wait.high > 7200 ? ['hour', 1800] : ['minute', 60];
	const low = Math.floor(wait.low / step),
		high = Math.ceil(wait.high / step);
	const size = step / (unit === 'hour' ? 3600 : 60);
	return fill(strings['wait.range'], { range: unitText(lang, unit, Math.max(1, low) * size, high * size) });
}

// Times of day; with the day when it is not near.
function clockText(lang, now, from, to = from) {
	const day = to - now > 43200000 ? { weekday: 'long', day: 'numeric', month: 'long' } : {};
	return rangeText(new Intl.DateTimeFormat(lang, { ...day, hour: 'numeric', minute: '2-digit' }), from, to);
}

// "09:58", "1:02:03", "2 days": what is left.
function countdownText(lang, ms) {
	const seconds = Math.max(0, Math.ceil(ms / 1000));
	if (seconds >= 172800)
		return unitText(lang, 'day', Math.floor(seconds / 86400), Math.floor(seconds / 86400));
	const two = new Intl.NumberFormat(lang, { minimumIntegerDigits: 2 });
	const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((n) => two.format(n));
	if (seconds >= 3600) parts.unshift(numberText(lang, Math.floor(seconds / 3600)));
	return parts.join(':');
}

// "8 seconds ago", "2 minutes ago".
function agoText(lang, ms) {
	const seconds = Math.max(0, Math.round(ms / 1000));
	const format = new Intl.RelativeTimeFormat(lang);
	return seconds < 100
		? format.format(-seconds, 'second')
		: format.format(-Math.round(seconds / 60), 'minute');
}
