// A panel as SVG: the parts of Grafana's time series and stat panels that our dashboards use.
import { format } from './units.js';

const palette = ['#73bf69', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#fade2a', '#8ab8ff', '#ffa6b0', '#96d98d', '#ca95e5'];
const named = { green: '#73bf69', yellow: '#fade2a', orange: '#ff9830', red: '#f2495c', blue: '#5794f2', text: '#ccccdc' };
const margin = { left: 64, right: 12, top: 8, bottom: 20 };

export const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const text = (x, y, anchor, content) => `<text x="${x}" y="${y}" text-anchor="${anchor}">${escape(content)}</text>`;
const colourOf = (colour) => named[colour] ?? colour;
// The colour of the last step that the value has reached.
export const colourAt = (thresholds, value) =>
	colourOf((thresholds?.steps ?? []).filter((step) => step.value === null || value >= step.value).at(-1)?.color ?? 'green');

// Round numbers between which all values lie, about four steps; round as the unit counts.
const scale = (low, high, unit) => {
	if (high <= low) high = low + (Math.abs(low) || 1);
	const rough = (high - low) / 4;
	const power = unit === 'bytes' ? 2 ** Math.floor(Math.log2(rough)) : 10 ** Math.floor(Math.log10(rough));
	const step = (unit === 'bytes' ? [1, 2] : [1, 2, 2.5, 5, 10]).find((factor) => factor * power >= rough) * power;
	const ticks = [];
	for (let at = Math.floor(low / step); at * step < high + step * 0.999; at++) ticks.push(Number((at * step).toPrecision(12)));
	return ticks;
};

const segments = (values, x, y) => { // a gap where there is no number
	const lines = [[]];
	for (const [at, value] of values) {
		if (Number.isFinite(value)) lines.at(-1).push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`);
		else if (lines.at(-1).length) lines.push([]);
	}
	return lines.filter((line) => line.length);
};

// What an override of ours says about a series: limits are dashed and not filled.
const customOf = (panel, series) => panel.fieldConfig.overrides
	.filter(({ matcher }) => matcher.id === 'byRegexp' && new RegExp(matcher.options.replace(/^\/|\/$/g, '')).test(series.name))
	.flatMap(({ properties }) => properties)
	.reduce((custom, { id, value }) => ({ ...custom, [id.replace('custom.', '')]: value }), panel.fieldConfig.defaults.custom ?? {});

const line = (series, x, y, floor, colour, fill, dash = []) => segments(series.values, x, y).map((points) => {
	const [first, last] = [points[0], points.at(-1)].map((point) => point.split(',')[0]);
	const area = fill ? `<polygon fill="${colour}" fill-opacity="${fill}" points="${first},${floor} ${points.join(' ')} ${last},${floor}"/>` : '';
	return `${area}<polyline fill="none" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${dash.join(' ')}" points="${points.join(' ')}"/>`;
}).join('');

const thresholdLines = (defaults, y, low, high, width) => (defaults.thresholds?.steps ?? [])
	.filter((step) => step.value !== null && step.value > low && step.value < high)
	.map((step) => `<line class="threshold" x1="${margin.left}" x2="${width - margin.right}" y1="${y(step.value)}" y2="${y(step.value)}" stroke="${colourOf(step.color)}"/>`)
	.join('');

export const timeSeries = (panel, all, { from, to }, width, height) => {
	const { defaults } = panel.fieldConfig;
	const values = all.flatMap((series) => series.values.map(([, value]) => value)).filter(Number.isFinite);
	const ticks = scale(Math.min(defaults.min ?? Infinity, ...values), Math.max(defaults.max ?? -Infinity, ...values), defaults.unit);
	const [low, high] = [ticks[0], ticks.at(-1)];
	const x = (at) => margin.left + ((at - from) / (to - from)) * (width - margin.left - margin.right);
	const y = (value) => height - margin.bottom - ((value - low) / (high - low)) * (height - margin.top - margin.bottom);
	const grid = ticks.map((tick) => `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y(tick)}" y2="${y(tick)}"/>`
		+ text(margin.left - 6, y(tick) + 4, 'end', format(tick, defaults.unit))).join('');
	const times = [0.08, 0.36, 0.64, 0.92].map((share) => from + share * (to - from))
		.map((at) => text(x(at), height - 4, 'middle', new Date(at * 1000).toISOString().slice(11, 19))).join('');
	const lines = all.map((series, i) => {
		const custom = customOf(panel, series);
		return line(series, x, y, y(Math.max(low, 0)), palette[i % palette.length], (custom.fillOpacity ?? 0) / 100, custom.lineStyle?.dash);
	}).join('');
	return `<svg width="${width}" height="${height}">${grid}${times}${thresholdLines(defaults, y, low, high, width)}${lines}</svg>`;
};

export const legend = (all, unit, room) => {
	const item = (series, i) => `<span><i style="background:${palette[i % palette.length]}"></i>${escape(series.name)} <b>${format(series.last, unit)}</b></span>`;
	const more = all.length > room ? `<span>and ${all.length - room} more</span>` : '';
	return `<div class="legend">${all.slice(0, room).map(item).join('')}${more}</div>`;
};

const one = (panel, series, shown, { from, to }, width, height) => {
	const { defaults } = panel.fieldConfig;
	const colour = colourAt(defaults.thresholds, series.last);
	const values = series.values.map(([, value]) => value).filter(Number.isFinite);
	const [low, high] = [Math.min(defaults.min ?? Infinity, ...values), Math.max(...values)];
	const x = (at) => ((at - from) / (to - from)) * width;
	const y = (value) => height - 2 - ((value - low) / (high - low || 1)) * height * (shown ? 0.2 : 0.4);
	const trend = `<svg width="${width}" height="${height}">${line(series, x, y, height, colour, 0.15)}</svg>`;
	return `<div class="value" style="width:${width}px;height:${height}px">${trend}<p style="color:${colour}">${format(series.last, defaults.unit)}</p>`
		+ `${shown ? `<small>${escape(series.name)}</small>` : ''}</div>`;
};

export const stat = (panel, all, range, width, height) =>
	`<div class="stat">${all.map((series) => one(panel, series, all.length > 1, range, Math.floor(width / all.length), height)).join('')}</div>`;
