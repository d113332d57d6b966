// Numbers as Grafana writes them, for the units that our dashboards have.
const steps = (value, base, names) => {
	let step = 0;
	for (let size = Math.abs(value); size >= base && step < names.length - 1; size /= base) step++;
	return [value / base ** step, names[step]];
};
const digits = (value) => {
	const size = Math.abs(value);
	const places = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
	return String(Number(value.toFixed(places)));
};
const short = (value) => steps(value, 1000, ['', ' K', ' Mil', ' Bil']);
const seconds = (value) => {
	const size = Math.abs(value);
	if (size === 0) return [0, ' s'];
	if (size < 1e-3) return [value * 1e6, ' µs'];
	if (size < 1) return [value * 1e3, ' ms'];
	if (size < 120) return [value, ' s'];
	return size < 7200 ? [value / 60, ' min'] : [value / 3600, ' h'];
};
const units = {
	short,
	s: seconds,
	bytes: (value) => steps(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']),
	percentunit: (value) => [value * 100, '%'],
	reqps: (value) => short(value).map((part, i) => (i ? `${part} req/s` : part)),
	ops: (value) => short(value).map((part, i) => (i ? `${part} ops/s` : part)),
};

export const isKnown = (unit) => unit in units;
export const format = (value, unit) => {
	if (!Number.isFinite(value)) return '–';
	const [number, suffix] = units[unit](value);
	return digits(number) + suffix;
};
