// cmd/api/openapi.yaml as data: its operations, and validators of its schemas.
//
// Validators of answers are stricter than the document: it tells clients to ignore members that they
// do not know, so it must not forbid them, but here a member that is not written down is a mistake.
// A write-only member in an answer is one, too.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const documentPath = fileURLToPath(new URL('../../cmd/api/openapi.yaml', import.meta.url));
export const methods = ['get', 'put', 'post', 'delete', 'patch'];

export function readDocument(text = readFileSync(documentPath, 'utf8')) {
	return parse(text, { maxAliasCount: 1000 });
}

const resolved = new WeakMap(); // of the reference, where there are many exchanges to look at

// The object that "#/a/b" names; an object that is no reference is returned as it is.
export function resolve(document, value) {
	while (value && value.$ref) {
		if (!resolved.has(value)) {
			const path = value.$ref.slice(2).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
			resolved.set(value, path.reduce((at, part) => at?.[part], document));
		}
		value = resolved.get(value);
	}
	return value;
}

const schemasBelow = ['items', 'additionalProperties', 'not'];
const listsBelow = ['oneOf', 'anyOf', 'allOf'];

// A copy with references into `$defs`, which is how the validator knows the components.
function adapt(schema, isAnswer) {
	if (typeof schema !== 'object' || schema === null) return schema;
	const copy = { ...schema };
	if (copy.$ref) copy.$ref = copy.$ref.replace('#/components/schemas/', 'components#/$defs/');
	delete copy.example;
	for (const key of schemasBelow) if (key in copy) copy[key] = adapt(copy[key], isAnswer);
	for (const key of listsBelow) if (key in copy) copy[key] = copy[key].map((each) => adapt(each, isAnswer));
	if (copy.properties) {
		copy.properties = Object.fromEntries(
			Object.entries(copy.properties).map(([name, each]) => [
				name, isAnswer && each.writeOnly ? false : adapt(each, isAnswer)]));
		if (isAnswer && !('additionalProperties' in copy)) copy.unevaluatedProperties = false;
	}
	return copy;
}

// validate(schema, value) -> "" or what is wrong.
export function validatorOf(document, isAnswer) {
	const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false, allErrors: false });
	addFormats.default(ajv);
	ajv.addSchema({
		$id: 'components',
		$defs: Object.fromEntries(Object.entries(document.components.schemas)
			.map(([name, schema]) => [name, adapt(schema, isAnswer)])),
	});
	const compiled = new Map();
	return (schema, value) => {
		let check = compiled.get(schema);
		if (!check) compiled.set(schema, (check = ajv.compile(adapt(schema, isAnswer))));
		return check(value) ? '' : ajv.errorsText(check.errors, { dataVar: '' }).trim();
	};
}

// [{server, path, pattern, method, operation, parameters}], paths without variables first.
export function operationsOf(document) {
	const all = [];
	for (const [path, item] of Object.entries(document.paths)) {
		const server = item.servers ? 'internal' : 'public';
		const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace('{rest}', '(.*)').replace(/\{[^}]+\}/g, '([^/]+)')}$`);
		for (const method of methods) {
			if (!item[method]) continue;
			const parameters = [...(item.parameters ?? []), ...(item[method].parameters ?? [])]
				.map((each) => resolve(document, each));
			all.push({ server, path, pattern, method, operation: item[method], parameters });
		}
	}
	return all.sort((a, b) => a.path.includes('{') - b.path.includes('{'));
}
