// openapi.yaml by itself, and against the sources that it must agree with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { documentPath, operationsOf, readDocument, resolve, validatorOf } from './document.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = (path) => readFileSync(root + path, 'utf8');
const binaries = process.env.WR_TEST_BIN_DIR ?? `${root}build/bin`;
const document = readDocument();
const operations = operationsOf(document);

test('the document is OpenAPI 3.1', async () => {
	const { valid, errors } = await new Validator().validate(documentPath);
	assert.ok(valid, JSON.stringify(errors, null, 2));
	assert.match(document.openapi, /^3\.1\./);
});

test('every operation has a name of its own, a tag that is described, and says who may call it', () => {
	const names = operations.map(({ operation }) => operation.operationId);
	assert.equal(new Set(names).size, names.length);
	const tags = document.tags.map(({ name }) => name);
	for (const { path, method, server, operation } of operations) {
		const what = `${method} ${path}`;
		assert.ok(operation.summary, `${what} has no summary`);
		assert.ok(operation.tags.length === 1 && tags.includes(operation.tags[0]), `${what} has no known tag`);
		assert.ok(operation.security, `${what} says nothing about security`);
		assert.ok(operation.tags[0] !== 'admin' || server === 'internal', `${what} is an admin operation on the public port`);
		if (operation.tags[0] === 'admin') assert.deepEqual(operation.security, [{ adminKey: [] }], what);
	}
});

// Every object of the document, with the path to it.
function* objectsIn(value, path = '') {
	if (typeof value !== 'object' || value === null) return;
	yield [path, value];
	for (const [key, each] of Object.entries(value)) yield* objectsIn(each, `${path}/${key}`);
}

test('every reference leads somewhere, and every component is used', () => {
	const used = new Set();
	for (const [path, value] of objectsIn(document)) {
		if (typeof value.$ref !== 'string') continue;
		used.add(value.$ref);
		assert.ok(resolve(document, { $ref: value.$ref }), `${path}: ${value.$ref} is not there`);
	}
	for (const kind of ['headers', 'responses', 'schemas'])
		for (const name of Object.keys(document.components[kind]))
			assert.ok(used.has(`#/components/${kind}/${name}`), `components/${kind}/${name} is not used`);
});

test('every example is what its schema says', () => {
	const check = validatorOf(document, true);
	let count = 0;
	for (const [path, value] of objectsIn(document)) {
		if (!value.schema) continue;
		const examples = Object.values(value.examples ?? {}).map((each) => each.value);
		if ('example' in value) examples.push(value.example);
		for (const example of examples) {
			assert.equal(check(value.schema, example), '', `${path}: ${JSON.stringify(example)}`);
			count++;
		}
	}
	assert.ok(count > 20, `only ${count} examples`);
});

// {HTTP_GET, "/q/{}/{}", …} of the two tables of routes
function routesOf(path, server) {
	const stems = Object.fromEntries([...source('cmd/api/admin_routes.h').matchAll(/#define ADMIN_(\w+)_PATTERN "([^"]+)"/g)]
		.map(([, name, stem]) => [name, stem]));
	const rows = [...source(path).matchAll(/\{(?:HTTP_(\w+)|(ROUTE_ANY_METHOD)),\s+(?:([A-Z]+)\b ?)?(?:"([^"]+)")?/g)];
	return rows.map(([, method, any, stem, rest]) => `${server} ${method ?? any} ${stems[stem] ?? ''}${rest ?? ''}`);
}

test('the document has the routes of the programs, and no others', () => {
	const routes = [...routesOf('cmd/api/routes.c', 'public'), ...routesOf('cmd/api/internal.c', 'internal'),
		...routesOf('cmd/api/admin_routes.c', 'internal')];
	const documented = operations.map(({ server, method, path }) =>
		`${server} ${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, '{}')}`);
	// The envoy mount takes any method and any path; the document describes its GET.
	const plain = routes.map((route) => route.replace('ROUTE_ANY_METHOD /authz/envoy/{...}', 'GET /authz/envoy/{}/{}/{}'));
	assert.deepEqual([...new Set(documented)].sort(), [...new Set(plain)].sort());
});

test('the codes of problems are those of the table of errors that visitors can see', () => {
	const [visible] = source('include/waitingroom/err.h').split('never shown to a visitor');
	const codes = [...visible.matchAll(/X\(WR_\w+, (\d+), "(\w+)"/g)].filter(([, status]) => status !== '200').map(([, , code]) => code);
	assert.deepEqual(document.components.schemas.Problem.properties.code.enum, codes);
});

test('the settings of a queue are those of the program, with their limits and defaults', () => {
	const printed = execFileSync(`${binaries}/waitingroom-api`, ['--print-queue-settings-doc'],
		{ encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
	const rows = printed.split('\n').filter((line) => line.startsWith('| `'))
		.map((line) => line.split(/ ?\|(?: |$)/).slice(1).map((cell) => cell.trim()));
	const { properties } = document.components.schemas.QueueSettings;
	assert.deepEqual(Object.keys(properties), rows.map(([name]) => name.replaceAll('`', '')));
	assert.deepEqual(Object.keys(document.components.schemas.QueueSettingsChange.properties), Object.keys(properties));
	for (const [name, preset, values] of rows.map((row) => row.map((cell) => cell.replaceAll('`', '')))) {
		const property = properties[name];
		if (property.type === 'integer')
			assert.ok(values.startsWith(`${property.minimum}..${property.maximum} `) && preset === String(property.default),
				`${name}: ${values}, default ${preset}`);
		if (property.enum) assert.deepEqual([property.enum.join(' '), property.default], [values, preset]);
		const most = /^text, at most (\d+)/.exec(values);
		if (most) assert.equal(property.maxLength, Number(most[1]), name);
	}
});

test('the states of previews are those of the program', () => {
	const table = /states\[\] = \{([^}]+)\}/.exec(source('cmd/api/preview.c'))[1];
	const states = [...table.matchAll(/"(\w+)"/g)].map(([, state]) => state);
	assert.deepEqual([...document.components.schemas.PageState.enum].sort(), states.sort());
});
