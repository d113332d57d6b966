// The tables of deploy/scaling.md, from the measured numbers in deploy/scaling.json: the formulas of the
// page stand here once. Run by scripts/check-scaling, whose options it takes.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [page, numbers] = ['deploy/scaling.md', 'deploy/scaling.json'].map((path) => join(root, path));
const [option, source] = process.argv.slice(2);
if (option === '--from') {
	const given = JSON.parse(readFileSync(source, 'utf8'));
	const sorted = Object.fromEntries(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1)));
	writeFileSync(numbers, `${JSON.stringify(sorted, null, '\t')}\n`);
}
const n = JSON.parse(readFileSync(numbers, 'utf8'));

// ---- how numbers are written ----

const rounded = (value) => String(Number(value >= 100 ? value.toFixed(0) : value.toPrecision(2)));
const many = (value) => (value >= 1e6 ? `${rounded(value / 1e6)} M` : value >= 1e3 ? `${rounded(value / 1e3)} k` : rounded(value));
const bytes = (value) => (value >= 1e9 ? `${rounded(value / 1e9)} GB` : value >= 1e6 ? `${rounded(value / 1e6)} MB`
	: value >= 1e3 ? `${rounded(value / 1e3)} kB` : `${rounded(value)} B`);
const percent = (share) => (share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`);
const us = (value) => `${value.toFixed(value < 2 ? 2 : 1)} µs`;
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

// ---- the formulas ----

const BUSY = 0.6; // of a core, so that a dead pod's share finds room
const IDLE_S = 30; // how long a connection without a pooling gateway stays open after a poll
const POOLED = 1000; // connections of a pod behind a gateway that pools them
const POD_BYTES = 30e6; // of an empty one

const podCores = ({ polls, joins }) => (polls * n.heartbeat_us + joins * n.enqueue_us) / 1e6;
const storeCores = ({ polls, joins, admitted }) =>
	(polls * n.store_heartbeat_us + joins * n.store_enqueue_us + admitted * n.store_admit_us) / 1e6;

const size = ([waiting, pollMaxS]) => {
	const load = { polls: waiting / (pollMaxS * 5 / 6), joins: waiting / 300, admitted: waiting / 7200 };
	const cores = podCores(load) / BUSY;
	const pods = Math.max(3, Math.ceil(cores / 2) + 1);
	return [many(waiting), `${pollMaxS} s`, many(load.polls), cores.toFixed(2), pods, many(load.polls * IDLE_S),
		bytes(POD_BYTES + waiting * n.pod_bytes_per_waiting + POOLED * n.idle_connection_bytes),
		bytes(waiting * n.store_bytes_per_waiting * 1.5), percent(storeCores(load)),
		many(load.joins + 3 * load.admitted), bytes(4 * waiting * n.event_bytes * 3)];
};
const moment = ([when, joins, polls]) => {
	const load = { polls, joins, admitted: 0 };
	return [when, many(joins), many(polls), podCores(load).toFixed(2), percent(storeCores(load))];
};

const parts = {
	machine: `Measured on ${n.measured} by \`make bench\` on ${n.cores} cores of "${n.machine}", Linux ${n.kernel}; load and\nservers shared them, and other work with a load average of ${n.other_load} before the start. Other load makes CPU times longer.`,
	measured: table(['what', 'measured'], [
		['a poll, CPU of a pod', us(n.heartbeat_us)],
		[`polls per second and core of a pod, at ${BUSY * 100} %`, many(1e6 / n.heartbeat_us * BUSY)],
		['a gate check, CPU of a pod', us(n.authz_us)],
		['a join, CPU of a pod', us(n.enqueue_us)],
		['a join, CPU of the store', us(n.store_enqueue_us)],
		['a poll, CPU of the store', us(n.store_heartbeat_us)],
		['a person let in, CPU of the store', us(n.store_admit_us)],
		['a place expired, CPU of the store', us(n.store_reap_us)],
		['memory of the store per waiting person', bytes(n.store_bytes_per_waiting)],
		['memory of each pod per waiting person', `${n.pod_bytes_per_waiting.toFixed(2)} B`],
		['memory of a pod per open connection', bytes(n.idle_connection_bytes)],
		['an event, CPU of the broker', us(n.broker_us_per_event)],
		['an event, on the broker\'s disk', bytes(n.event_bytes)],
		['start of a pod until it is ready', `${n.start_ms} ms`],
	]),
	sizes: table(['waiting', '`poll_max_ms`', 'polls/s', 'cores of pods', 'pods of 2 cores', 'connections without pooling', 'memory of a pod',
		'memory of the store', 'one core of the store', 'events/s', 'broker\'s disks'], [[1e4, 10], [1e5, 20], [1e6, 30], [1e7, 60]].map(size)),
	step: table(['seconds', 'joins/s', 'polls/s', 'cores of pods', 'one core of the store'],
		[['0 to 1', 5e4, 0], ['1 to 2', 5e4, 5e4], ['2 to 3', 0, 5e4], ['3 to 23', 0, 200], ['23 to 33', 0, 1e4], ['then', 0, 4e3]].map(moment)),
};

// ---- the page ----

let text = readFileSync(page, 'utf8');
const before = text;
for (const [name, content] of Object.entries(parts)) {
	const begin = `<!-- ${name} begin: written by scripts/check-scaling --fix -->`, end = `<!-- ${name} end -->`;
	const from = text.indexOf(begin), to = text.indexOf(end);
	if (from < 0 || to < from) {
		console.log(`scaling: ${page} has no line "${begin}" with "${end}" after it`);
		process.exit(1);
	}
	text = `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
if (option) writeFileSync(page, text);
else if (text !== before) {
	console.log('scaling: the tables of deploy/scaling.md do not follow from deploy/scaling.json; run scripts/check-scaling --fix');
	process.exit(1);
}
console.log('scaling: ok');
