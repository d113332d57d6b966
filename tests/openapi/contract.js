// Holds an exchange with a pod against the contract.
//
//     const contract = new Contract();
//     contract.complaints({server: 'public', method: 'POST', target: '/leave', requestHeaders: […],
//         requestBody, status: 200, headers: [['Content-Type', 'application/json']], body})
//
// gives a list of sentences, empty when all is well. An answer must have a documented status, only
// documented headers and members, and values as described. A request that was answered as a success
// must be one that the document allows: else the document promises less than there is.
import { methods, operationsOf, readDocument, resolve, validatorOf } from './document.js';

// Of HTTP itself, or added by the server's library.
const plainHeaders = new Set(['date', 'connection', 'content-length', 'content-type', 'transfer-encoding', 'keep-alive']);
const mayRepeat = new Set(['set-cookie', 'vary']);
// A parameter that a test sends to show that those of others (utm_source and the like) do no harm.
const strangers = new Set(['a']);

const valuesOf = (headers, name) => headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
const mediaType = (value) => value.split(';')[0].trim().toLowerCase();

// Refused by the library that reads HTTP, before anything of ours had seen it.
const isLibrarysOwn = ({ status, headers }) =>
	[400, 408, 414, 431, 505].includes(status) && !valuesOf(headers, 'x-request-id').length;

function parseJson(bytes) {
	try {
		return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
	} catch (error) {
		return { wrong: `is not JSON: ${error.message}` };
	}
}

export class Contract {
	constructor(document = readDocument()) {
		this.document = document;
		this.operations = operationsOf(document);
		this.checkAnswer = validatorOf(document, true);
		this.checkRequest = validatorOf(document, false);
		this.seen = new Map(); // operationId -> Map of status -> count
		this.documentedHeaders = new Map(); // response -> Map of name -> header
	}

	find(server, method, path) {
		const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
		return this.operations.find((each) =>
			each.server === server && (each.method === wanted || each.operation['x-any-method']) && each.pattern.test(path));
	}

	isPath(server, path) {
		return this.operations.some((each) => each.server === server && each.pattern.test(path));
	}

	complaints(exchange) {
		return [...this.answerComplaints(exchange), ...this.#requestComplaints(exchange)];
	}

	// Of the answer alone, whatever was asked.
	answerComplaints(exchange) {
		if (isLibrarysOwn(exchange)) return [];
		const path = exchange.target.split('?')[0];
		const found = this.find(exchange.server, exchange.method, path);
		if (!found) return this.#undocumented(exchange, path);
		const counts = this.seen.get(found.operation.operationId) ?? new Map();
		this.seen.set(found.operation.operationId, counts.set(exchange.status, (counts.get(exchange.status) ?? 0) + 1));
		const response = resolve(this.document, found.operation.responses[exchange.status]);
		if (!response) return [`status ${exchange.status} is not documented`];
		return [...this.#headers(response, exchange), ...this.#body(response, exchange)];
	}

	#requestComplaints(exchange) {
		const path = exchange.target.split('?')[0];
		const found = this.find(exchange.server, exchange.method, path);
		if (!found || exchange.status >= 400) return [];
		return this.#request(found, new URL(exchange.target, 'http://x'), path, exchange);
	}

	// Operations and statuses that are documented and were never seen: ["join 503", …].
	unseen() {
		return this.operations.flatMap(({ operation }) => Object.keys(operation.responses)
			.filter((status) => !this.seen.get(operation.operationId)?.has(Number(status)))
			.map((status) => `${operation.operationId} ${status}`));
	}

	// What is not in the document has to be refused; OPTIONS is answered everywhere.
	#undocumented(exchange, path) {
		const { method, status } = exchange;
		if (method === 'OPTIONS' && status === 204) return [];
		const isKnown = methods.includes(method.toLowerCase()) || ['HEAD', 'OPTIONS'].includes(method);
		const allowed = [400, 413, this.isPath(exchange.server, path) || !isKnown ? 405 : 404, method === 'OPTIONS' ? 403 : 404];
		if (!allowed.includes(status)) return [`is not documented, and was answered with ${status}`];
		const [methodsHere] = valuesOf(exchange.headers, 'allow');
		if (status === 405 && !/^[A-Z]+(, [A-Z]+)*$/.test(methodsHere ?? '')) return [`Allow is ${methodsHere}`];
		return this.#problem(this.document.components.schemas.Problem, exchange);
	}

	#headersOf(response) {
		if (!this.documentedHeaders.has(response))
			this.documentedHeaders.set(response, new Map(Object.entries(response.headers ?? {})
				.map(([name, value]) => [name.toLowerCase(), resolve(this.document, value)])));
		return this.documentedHeaders.get(response);
	}

	#headers(response, { headers }) {
		const wrong = [];
		const documented = this.#headersOf(response);
		for (const [name, { required, schema }] of documented) {
			const values = valuesOf(headers, name);
			if (required && values.length === 0) wrong.push(`header ${name} is missing`);
			if (values.length > 1 && !mayRepeat.has(name)) wrong.push(`header ${name} comes ${values.length} times`);
			for (const value of values) {
				const problem = this.checkAnswer(schema, value);
				if (problem) wrong.push(`header ${name} "${value}" ${problem}`);
			}
		}
		for (const [name] of headers)
			if (!plainHeaders.has(name.toLowerCase()) && !documented.has(name.toLowerCase()))
				wrong.push(`header ${name} is not documented`);
		return wrong;
	}

	#body(response, exchange) {
		const [type] = valuesOf(exchange.headers, 'content-type');
		if (!response.content) {
			if (exchange.body.length) return ['there is a body'];
			return type && exchange.status === 204 ? ['there is a Content-Type of no content'] : [];
		}
		if (!type && response['x-may-be-empty'] && !exchange.body.length) return [];
		if (!type) return ['Content-Type is missing'];
		const content = response.content[mediaType(type)];
		if (!content) return [`Content-Type ${type} is not documented`];
		if (exchange.method === 'HEAD' || valuesOf(exchange.headers, 'content-encoding').length) return [];
		if (mediaType(type) === 'application/problem+json') return this.#problem(content.schema, exchange);
		return this.#value(content.schema, type, exchange.body);
	}

	#value(schema, type, bytes) {
		let value = bytes.toString();
		if (/json/.test(type)) {
			const parsed = parseJson(bytes);
			if (parsed.wrong) return [`the body ${parsed.wrong}`];
			value = parsed.value;
		}
		const problem = this.checkAnswer(schema, value);
		return problem ? [`the body ${problem}: ${bytes.toString().slice(0, 400)}`] : [];
	}

	#problem(schema, { method, status, headers, body }) {
		if (method === 'HEAD') return [];
		const [type] = valuesOf(headers, 'content-type');
		if (type !== 'application/problem+json') return [`Content-Type of a refusal is ${type}`];
		const wrong = this.#value(schema, type, body);
		if (wrong.length) return wrong;
		const problem = JSON.parse(body.toString());
		const [id] = valuesOf(headers, 'x-request-id');
		const [wait] = valuesOf(headers, 'retry-after');
		if (problem.status !== status) wrong.push(`the problem's status is ${problem.status}`);
		if (problem.request_id && problem.request_id !== id) wrong.push("the problem's request_id is another one");
		if ((problem.retry_after_ms ?? 0) !== Number(wait ?? 0) * 1000)
			wrong.push(`retry_after_ms ${problem.retry_after_ms} and Retry-After ${wait} differ`);
		return wrong;
	}

	#request({ pattern, operation, parameters }, url, path, { requestHeaders, requestBody }) {
		const wrong = [];
		const inPath = pattern.exec(path).slice(1);
		const known = { path: new Map(parameters.filter((each) => each.in === 'path').map((each, i) => [each.name, inPath[i]])) };
		for (const parameter of parameters) {
			const { name, schema, required } = parameter;
			const values = parameter.in === 'query' ? url.searchParams.getAll(name)
				: parameter.in === 'header' ? valuesOf(requestHeaders, name.toLowerCase()) : [known.path.get(name)];
			if (required && !values.length) wrong.push(`went without the parameter ${name}`);
			for (const value of values) {
				const problem = this.checkRequest(schema, value);
				if (problem) wrong.push(`went with ${name} "${value}", which ${problem}`);
			}
		}
		for (const name of new Set(url.searchParams.keys()))
			if (!strangers.has(name) && !operation['x-any-query'] && !parameters.some((each) => each.in === 'query' && each.name === name))
				wrong.push(`went with the parameter ${name}, which is not documented`);
		return [...wrong, ...this.#requestBody(operation, requestHeaders, requestBody)];
	}

	#requestBody(operation, headers, bytes) {
		if (operation['x-any-method']) return [];
		if (!operation.requestBody) return bytes.length ? ['went with a body'] : [];
		if (!bytes.length) return operation.requestBody.required ? ['went without a body'] : [];
		const [type = Object.keys(operation.requestBody.content)[0]] = valuesOf(headers, 'content-type');
		const content = operation.requestBody.content[mediaType(type)];
		if (!content) return [`went with Content-Type ${type}`];
		let value = bytes.toString();
		if (mediaType(type) === 'application/x-www-form-urlencoded') {
			value = Object.fromEntries(new URLSearchParams(value));
		} else if (content.schema.type !== 'string') {
			const parsed = parseJson(bytes);
			if (parsed.wrong) return [`went with a body that ${parsed.wrong}`];
			value = parsed.value;
		}
		const problem = this.checkRequest(content.schema, value);
		return problem ? [`went with a body that ${problem}: ${bytes.toString().slice(0, 400)}`] : [];
	}
}
