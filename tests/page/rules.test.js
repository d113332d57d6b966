// The rules of the waiting page (cmd/api/web/room_rules.js), run as the browser runs them: a plain
// script whose functions are there for whoever comes after it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';

const web = new URL('../../cmd/api/web/', import.meta.url);
const rules = vm.createContext({ atob, TextDecoder, Uint8Array });
vm.runInContext(readFileSync(new URL('room_rules.js', web), 'utf8'), rules);
const rule = (name) => vm.runInContext(name, rules);
const languages = readdirSync(new URL('lang/', web)).map((file) => file.replace('.json', ''));
const stringsOf = (lang) => JSON.parse(readFileSync(new URL(`lang/${lang}.json`, web), 'utf8'));
const en = stringsOf('en');
const plain = (value) => JSON.parse(JSON.stringify(value)); // of another realm

test("numbers and times are written as in the visitor's country, in the page's language", () => {
	const localeOf = rule('localeOf');
	assert.equal(localeOf('en', ['nl-NL', 'en-GB', 'en']), 'en-GB');
	assert.equal(localeOf('en', ['en', 'en-GB']), 'en', 'in the order in which the visitor wants them');
	assert.equal(localeOf('de', ['en-GB']), 'de');
	assert.equal(localeOf('zh-Hans', ['zh-TW']), 'zh-Hans', 'another script is another language');
	assert.equal(localeOf('pt', []), 'pt');
	const noon = new Date(2026, 10, 21, 12).getTime();
	assert.equal(rule('clockText')('en-GB', noon, noon + 3600000), '13:00');
});

test('back-off grows to a minute and draws from all of it', () => {
	const backoffMs = rule('backoffMs');
	assert.equal(backoffMs(1, 0), 1000);
	assert.equal(backoffMs(1, 0.5), 1500);
	assert.equal(backoffMs(4, 1), 16000);
	assert.equal(backoffMs(6, 1), 60000);
	assert.equal(backoffMs(60, 1), 60000);
	assert.equal(backoffMs(60, 0), 1000);
});

test('a shown estimate stays until it is wrong by more than a minute and more than a tenth', () => {
	const hasMoved = rule('hasMoved');
	const shown = { low: 300, high: 480 };
	assert.equal(hasMoved(shown, { low: 240, high: 420 }), false);
	assert.equal(hasMoved(shown, { low: 239, high: 420 }), true);
	assert.equal(hasMoved(shown, { low: 300, high: 541 }), true);
	const hours = { low: 6000, high: 9000 };
	assert.equal(hasMoved(hours, { low: 5400, high: 8100 }), false);
	assert.equal(hasMoved(hours, { low: 6000, high: 9901 }), true);
	assert.equal(hasMoved(shown, null), true);
	assert.equal(hasMoved(null, shown), true);
	assert.equal(hasMoved(null, null), false);
});

test('only a longer wait needs a reason', () => {
	const hasGrown = rule('hasGrown');
	assert.equal(hasGrown({ low: 300, high: 480 }, { low: 400, high: 600 }), true);
	assert.equal(hasGrown({ low: 300, high: 480 }, { low: 100, high: 200 }), false);
	assert.equal(hasGrown({ low: 300, high: 480 }, { low: 300, high: 540 }), false);
	assert.equal(hasGrown(null, { low: 300, high: 480 }), false);
	assert.equal(hasGrown({ low: 300, high: 480 }, null), false);
});

test('a number never grows for the same place, nor does the progress fall', () => {
	const keep = rule('keep');
	let kept = keep(null, { position_id: 'a', ahead: 99 });
	assert.equal(kept.done, 0);
	kept = keep(kept, { position_id: 'a', ahead: 49 });
	assert.equal(kept.done, 0.5);
	kept = keep(kept, { position_id: 'a', ahead: 60 });
	assert.equal(kept.ahead, 49);
	assert.equal(kept.done, 0.5);
	kept = keep(kept, { position_id: 'a', ahead: null });
	assert.equal(kept.ahead, 49, 'a stale answer leaves the number as it was');
	kept = keep(kept, { position_id: 'a', ahead: 60, token: 'new' });
	assert.equal(kept.ahead, 60, 'a new token: the line was rebuilt');
	assert.equal(kept.done, 0.5);
	kept = keep(kept, { position_id: 'b', ahead: 70 });
	assert.deepEqual(plain(kept), { id: 'b', ahead: 70, first: 70, done: 0 });
});

test('a place whose number is not known yet has made no way', () => {
	const kept = rule('keep')(null, { position_id: 'a', ahead: null });
	assert.equal(kept.ahead, undefined);
	assert.equal(kept.done, 0);
	assert.equal(rule('stateOf')({ status: 'waiting', ahead: kept.ahead, waiting: 5 }), 'waiting');
});

test('an answer has one state, and a pause comes before nearness', () => {
	const stateOf = rule('stateOf');
	const answer = {
		status: 'waiting',
		ahead: 500,
		waiting: 1000,
		estimated_wait_s: { low: 600, high: 900 },
	};
	assert.equal(stateOf(answer), 'waiting');
	assert.equal(stateOf({ ...answer, ahead: 9 }), 'almost');
	assert.equal(stateOf({ ...answer, ahead: 10 }), 'waiting');
	assert.equal(stateOf({ ...answer, ahead: 0, waiting: 1 }), 'almost');
	assert.equal(stateOf({ ...answer, estimated_wait_s: { low: 0, high: 60 } }), 'almost');
	assert.equal(stateOf({ ...answer, ahead: 0, paused: true }), 'paused');
	assert.equal(stateOf({ ...answer, state: 'hold' }), 'prequeue');
	assert.equal(stateOf({ ...answer, state: 'hold', opens_at_ms: 1 }), 'prequeue');
	assert.equal(stateOf({ ...answer, status: 'admitted', paused: true }), 'your_turn');
});

test('a support code is the first 45 bits of the id in groups of three', () => {
	const supportCode = rule('supportCode');
	assert.equal(supportCode('AAAAAAAAAAAAAAAA'), '000-000-000');
	assert.equal(supportCode('________________'), 'ZZZ-ZZZ-ZZZ');
	assert.equal(supportCode('0ol-7ZNuNmyDuqFY'), 'TA4-QXV-CKD');
	assert.equal(supportCode('preview').length, 11);
});

test('a target is read from base64url, and nothing else is', () => {
	const decodeTarget = rule('decodeTarget');
	const target = 'https://shop.example/é?a=1&b=~~~';
	assert.equal(decodeTarget(Buffer.from(target).toString('base64url')), target);
	for (const wrong of [null, '', 'a b', '<x>', '%']) assert.equal(decodeTarget(wrong), undefined);
});

// What Debian's node does not have yet, as little as older browsers: then both ends are written out,
// and languages group four digits as they are used to.
const hasRanges = 'formatRange' in Intl.NumberFormat.prototype;
const canGroupAlways = new Intl.NumberFormat('en', { useGrouping: 'always' }).resolvedOptions().useGrouping === 'always';
const about = (short, long) => `About ${hasRanges ? short : long}`;

test('a wait is rounded outward, in minutes and then in half hours', () => {
	const waitText = (low, high) => rule('waitText')(en, 'en', low === null ? null : { low, high });
	assert.equal(waitText(null), en['wait.unknown']);
	assert.equal(waitText(0, 60), en['wait.soon']);
	assert.equal(waitText(0, 90), about('1–2 minutes', '1 minute – 2 minutes'));
	assert.equal(waitText(750, 1030), about('12–18 minutes', '12 minutes – 18 minutes'));
	assert.equal(waitText(600, 600), 'About 10 minutes');
	assert.equal(waitText(4500, 7200), about('75–120 minutes', '75 minutes – 120 minutes'));
	assert.equal(waitText(7000, 12500), about('1.5–3.5 hours', '1.5 hours – 3.5 hours'));
	assert.equal(waitText(80000, 90000), en['wait.day']);
});

test('a countdown has two digits each, hours when there are any, and days from two on', () => {
	const countdownText = (ms) => rule('countdownText')('en', ms);
	assert.equal(countdownText(598000), '09:58');
	assert.equal(countdownText(597001), '09:58');
	assert.equal(countdownText(0), '00:00');
	assert.equal(countdownText(-5000), '00:00');
	assert.equal(countdownText(3723000), '1:02:03');
	assert.equal(countdownText(3 * 86400000), '3 days');
});

test('ages are in seconds, then in minutes, and never in the future', () => {
	const agoText = (ms) => rule('agoText')('en', ms);
	assert.equal(agoText(8200), '8 seconds ago');
	assert.equal(agoText(-300), '0 seconds ago');
	assert.equal(agoText(130000), '2 minutes ago');
});

test('a time of day names the day only when it is far away', () => {
	const clockText = rule('clockText');
	const noon = new Date(2026, 10, 21, 12, 0).getTime();
	assert.equal(clockText('de', noon, noon + 3600000), '13:00');
	assert.match(clockText('en', noon, noon + 3600000, noon + 3960000), /^1:00\s–\s1:06\sPM$/);
	assert.match(clockText('en', noon, noon + 86400000), /Sunday, November 22/);
});

test('without formatRange a range is two texts', () => {
	const rangeText = rule('rangeText');
	assert.equal(rangeText({ format: (n) => `${n} min` }, 2, 3), '2 min – 3 min');
	assert.equal(rangeText({ format: (n) => `${n} min` }, 3, 3), '3 min');
});

test('every language says every number, wait, age and time', () => {
	for (const lang of languages) {
		const strings = stringsOf(lang);
		for (const n of [0, 1, 2, 3, 5, 11, 21, 22, 100, 1203, 1000000])
			assert.doesNotMatch(
				rule('pluralText')(strings, lang, 'ahead', n),
				/undefined|[{}]/,
				`${lang} ${n}`,
			);
		for (const high of [30, 240, 3600, 30000, 100000])
			assert.doesNotMatch(
				rule('waitText')(strings, lang, { low: high / 2, high }),
				/undefined|[{}]/,
				lang,
			);
		assert.ok(rule('agoText')(lang, 5000));
		assert.ok(rule('clockText')(lang, 0, 3600000, 7200000));
		assert.ok(rule('countdownText')(lang, 90000));
	}
});

test('plural forms follow the language', () => {
	const ahead = (lang, n) => rule('pluralText')(stringsOf(lang), lang, 'ahead', n);
	assert.equal(ahead('pl', 1), 'osoba przed Tobą');
	assert.equal(ahead('pl', 3), 'osoby przed Tobą');
	assert.equal(ahead('pl', 12), 'osób przed Tobą');
	assert.equal(ahead('ar', 2), 'شخصان أمامك');
	assert.equal(ahead('ar', 11), 'شخصًا أمامك');
	assert.equal(ahead('fr', 1000000), 'de personnes devant vous');
	assert.equal(ahead('ja', 1), ahead('ja', 1000));
});

test('digits are grouped in every language that groups them', () => {
	assert.equal(rule('numberText')('en', 1204), '1,204');
	assert.match(rule('numberText')('pl', 1204), canGroupAlways ? /^1\s204$/ : /^1204$/);
	assert.equal(rule('numberText')('es', 1204), canGroupAlways ? '1.204' : '1204');
});
