// Everything that the other tests asked of pods and got from them is as openapi.yaml says.
//
// WR_TEST_RECORD names the directory that tests/support/record.c has filled. What the document has
// and no test has seen is listed; an operation that no test has used with success is a failure.
import assert from 'node:assert/strict';
import { createReadStream, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Contract } from './contract.js';

const directory = process.env.WR_TEST_RECORD;
const contract = new Contract();

const bytesOf = (text) => Buffer.from(text, 'base64url');

function parseHead(text) {
	const [first, ...lines] = bytesOf(text).toString('latin1').split('\r\n');
	const headers = lines.filter(Boolean).map((line) => {
		const colon = line.indexOf(':');
		return [line.slice(0, colon), line.slice(colon + 1).trim()];
	});
	return { first: first.split(' '), headers };
}

export function exchangeOf(line) {
	const record = JSON.parse(line);
	const request = parseHead(record.request);
	const answer = parseHead(record.answer);
	return {
		server: record.server,
		method: request.first[0],
		target: request.first[1],
		requestHeaders: request.headers,
		requestBody: bytesOf(record.body),
		status: Number(answer.first[1]),
		headers: answer.headers,
		body: bytesOf(record.answer_body),
	};
}

// complaint -> how often, and the first exchange that it is about
async function complaintsOf(path) {
	const found = new Map();
	let count = 0;
	for await (const line of createInterface({ input: createReadStream(path) })) {
		const exchange = exchangeOf(line);
		count++;
		for (const text of contract.complaints(exchange)) {
			const key = `${exchange.method} ${exchange.target.split('?')[0]} ${exchange.status}: ${text.slice(0, 600)}`;
			found.set(key, (found.get(key) ?? 0) + 1);
		}
	}
	return { count, found };
}

const files = directory ? readdirSync(directory).filter((name) => name.endsWith('.jsonl')).sort() : [];

test('there is a record of what the tests have asked', { skip: !directory && 'WR_TEST_RECORD is not set' }, () => {
	assert.notEqual(files.length, 0, `${directory} is empty`);
});

for (const file of files) {
	test(`${file.replace('.jsonl', '')} asked and got only what the contract says`, async () => {
		const { count, found } = await complaintsOf(`${directory}/${file}`);
		assert.notEqual(count, 0, 'nothing was recorded');
		const lines = [...found].map(([text, times]) => `${times} × ${text}`);
		assert.equal(lines.length, 0, `\n${lines.slice(0, 20).join('\n')}`);
	});
}

test('every operation of the contract has been seen to work', { skip: !files.length && 'nothing is recorded' }, (context) => {
	context.diagnostic(`never seen: ${contract.unseen().join(', ')}`);
	const never = contract.operations.map(({ operation }) => operation.operationId)
		.filter((id) => ![...(contract.seen.get(id)?.keys() ?? [])].some((status) => status < 400));
	assert.deepEqual(never, []);
});
