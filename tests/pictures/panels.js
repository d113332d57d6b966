// Pictures of the dashboards: every panel, drawn from what a Prometheus answers to its queries.
//
//     node tests/pictures/panels.js <Prometheus> <minutes> <directory> <dashboard.json>...
//
// One PNG per dashboard, its rows all unfolded. This is no Grafana: it shows whether a panel's queries,
// unit, legend and scale make sense together, before somebody needs it at night. Ends with 1
// when a panel has no data that is not in quiet-queries.txt or has something that cannot be drawn.
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { chromium } from 'playwright-core';
import { escape, legend, stat, timeSeries } from './chart.js';
import { isKnown } from './units.js';

const [prometheus, minutes, directory, ...files] = process.argv.slice(2);
const columnPx = 60, rowPx = 34, gap = 8;
const to = Math.floor(Date.now() / 1000), from = to - Number(minutes) * 60;
const step = Math.max(1, Math.round((to - from) / 240));
const quiet = (await readFile('deploy/grafana/quiet-queries.txt', 'utf8')).split('\n')
	.filter((line) => line && !line.startsWith('#')).map((line) => line.split('\t')[0]);
const complaints = [];

// ---- data ----

const substitute = (expr) => expr.replace(/\$__rate_interval/g, '15s').replace(/\$(job|instance|queue)\b/g, '.+');

const nameOf = (target, labels) => target.legendFormat?.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? '')
	?? Object.entries(labels).map(([label, value]) => `${label}="${value}"`).join(', ');

async function ask(target) {
	const query = new URLSearchParams({ query: substitute(target.expr), start: from, end: to, step });
	const answer = await (await fetch(`${prometheus}/api/v1/query_range?${query}`)).json();
	if (answer.status !== 'success') throw new Error(`${target.expr}: ${answer.error}`);
	return answer.data.result.map((series) => {
		const known = new Map(series.values.map(([at, value]) => [Math.round(at), Number(value)]));
		const values = [];
		for (let at = from; at <= to; at += step) values.push([at, known.get(at) ?? NaN]);
		const last = values.map(([, value]) => value).filter(Number.isFinite).at(-1);
		return { name: nameOf(target, series.metric), values, last };
	});
}

async function seriesOf(panel) {
	const all = [];
	for (const target of panel.targets) {
		const found = await ask(target);
		if (!found.length && !quiet.some((part) => target.expr.includes(part))) complaints.push(`${panel.title}: nothing for ${target.expr}`);
		all.push(...found);
	}
	return all.filter((series) => series.last !== undefined);
}

// ---- drawing ----

async function drawPanel(panel, top) {
	const { x, y, w, h } = panel.gridPos;
	const [width, height] = [w * columnPx - gap, h * rowPx - gap];
	const { unit } = panel.fieldConfig.defaults;
	if (!isKnown(unit) || !['stat', 'timeseries'].includes(panel.type)) {
		complaints.push(`${panel.title}: cannot draw type ${panel.type} in unit ${unit}`);
		return '';
	}
	const all = await seriesOf(panel);
	const range = { from, to };
	const content = !all.length ? '<p class="none">No data</p>'
		: panel.type === 'stat' ? stat(panel, all, range, width - 16, height - 40)
			: timeSeries(panel, all, range, width - 16, height - 82) + legend(all, unit, 6);
	return `<section title="${escape(panel.description)}" style="left:${x * columnPx}px;top:${(y - top) * rowPx}px;width:${width}px;height:${height}px">`
		+ `<h3>${escape(panel.title)}</h3>${content}</section>`;
}

async function drawGroup(title, panels) {
	if (!panels.length) return '';
	const top = Math.min(...panels.map((panel) => panel.gridPos.y));
	const rows = Math.max(...panels.map((panel) => panel.gridPos.y + panel.gridPos.h)) - top;
	const drawn = await Promise.all(panels.map((panel) => drawPanel(panel, top)));
	return `<h2>${escape(title)}</h2><div class="group" style="height:${rows * rowPx}px">${drawn.join('')}</div>`;
}

// Folded rows hold their panels; others are followed by them.
const groupsOf = (dashboard) => dashboard.panels.reduce((groups, panel) => {
	if (panel.type === 'row') groups.push({ title: panel.title, panels: [...(panel.panels ?? [])] });
	else groups.at(-1).panels.push(panel);
	return groups;
}, []);

const style = `
	body { margin: 0; padding: 16px; width: ${24 * columnPx}px; background: #111217; color: #ccccdc; font: 12px "DejaVu Sans", sans-serif }
	h1 { font-size: 20px; font-weight: 500; margin: 0 0 4px } h1 + p { margin: 0 0 8px; color: #8e8e9c }
	h2 { font-size: 14px; font-weight: 500; margin: 14px 0 8px }
	.group { position: relative } section { position: absolute; box-sizing: border-box; padding: 8px; background: #181b1f; border: 1px solid #2b2d33; border-radius: 3px; overflow: hidden }
	h3 { font-size: 13px; font-weight: 500; margin: 0 0 8px; white-space: nowrap }
	svg { display: block } text { fill: #9a9aa8; font-size: 11px } .grid { stroke: #2b2d33 } .threshold { stroke-dasharray: 6 4; stroke-width: 1.5 }
	.legend { height: 34px; overflow: hidden; margin-top: 4px; line-height: 17px } .legend span { margin-right: 14px; white-space: nowrap; color: #b4b4c2 } .legend b { font-weight: 500; color: #ccccdc }
	.legend i { display: inline-block; width: 12px; height: 3px; margin-right: 5px; vertical-align: middle; border-radius: 1px }
	.stat { display: flex } .value { position: relative; text-align: center } .value svg { position: absolute; left: 0; bottom: 0 }
	.value p { position: relative; margin: 6px 0 0; font-size: 34px; line-height: 40px } .value small { position: relative; color: #9a9aa8 } .none { text-align: center; color: #8e8e9c; margin-top: 60px; font-size: 14px }`;

async function draw(dashboard) {
	const groups = [];
	for (const { title, panels } of groupsOf(dashboard)) groups.push(await drawGroup(title, panels));
	const when = `${new Date(from * 1000).toISOString().slice(0, 16).replace('T', ' ')} to ${new Date(to * 1000).toISOString().slice(11, 16)} UTC`;
	return `<!doctype html><meta charset="utf-8"><style>${style}</style><h1>${escape(dashboard.title)}</h1><p>${when}, every panel, drawn from the answers to its queries</p>${groups.join('')}`;
}

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const page = await browser.newPage({ viewport: { width: 24 * columnPx + 32, height: 900 } });
for (const file of files) {
	await page.setContent(await draw(JSON.parse(await readFile(file, 'utf8'))));
	await page.screenshot({ path: join(directory, `${basename(file, '.json')}.png`), fullPage: true });
}
await browser.close();
for (const complaint of complaints) console.log(complaint);
process.exitCode = complaints.length ? 1 : 0;
