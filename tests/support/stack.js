// A whole waiting room for tests in node: Redis, NATS, pods, admitters, and nginx in front with the
// demo shop behind it, all real and private to the test.
//
//     const stack = await Stack.start({ queues: [{ queue: 'default/demo', capacity: 1 }] });
//     await stack.pods[0].kill();
//     await stack.stop();
//
// Each part listens on a port of its own, which it has again when it is started anew; its log is
// <directory>/<name>.log. The directory stays when a test has failed: keep() says where it is.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const binaries = process.env.WR_TEST_BIN_DIR ?? `${root}build/bin`;
export const slowness = Number(process.env.WR_TEST_SLOWNESS ?? 1);
const searchPath = `${process.env.PATH}:/usr/sbin:/sbin`; // where Debian puts nats-server and nginx

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Waits until the condition holds; says in words what did not come true.
export async function until(what, condition, { within = 15000, every = 25 } = {}) {
	const deadline = Date.now() + within * slowness;
	for (;;) {
		const value = await condition();
		if (value) return value;
		if (Date.now() > deadline) throw new Error(`after ${within * slowness} ms not true: ${what}`);
		await pause(every);
	}
}

const binds = (socket, bind) => new Promise((done) => {
	socket.once('error', () => done(false));
	bind(() => done(true));
});

// Below the range that the kernel gives to connecting sockets: a client that retries towards a
// stopped server could otherwise be given that very port. The UDP port of that number, which nobody
// uses, keeps it from other tests for as long as this one runs (servers.c does the same).
async function freePort() {
	for (;;) {
		const port = 20000 + Math.floor(Math.random() * 12000);
		const name = createSocket('udp4').unref(), server = createServer();
		if (!await binds(name, (bound) => name.bind(port, '127.0.0.1', bound))) continue;
		if (await binds(server, (bound) => server.listen(port, '127.0.0.1', bound))) {
			await new Promise((done) => server.close(done));
			return port;
		}
		name.close();
	}
}

const listens = (port) => new Promise((done) => {
	const socket = connect(port, '127.0.0.1', () => done(true) || socket.destroy()).once('error', () => done(false));
});

// A process that can be killed and started again with the same command.
class Part {
	constructor(stack, name, command, env, isReady) {
		Object.assign(this, { name, command, env, isReady, log: `${stack.directory}/${name}.log` });
	}

	async start() {
		const log = await open(this.log, 'a');
		const child = spawn(this.command[0], this.command.slice(1), {
			env: { ...process.env, PATH: searchPath, ...this.env }, stdio: ['ignore', log.fd, log.fd],
		});
		await log.close();
		this.child = child;
		this.ended = new Promise((done) => {
			child.once('exit', (code, signal) => done({ code, signal }));
			child.once('error', (error) => done({ error }));
		});
		let isOver = false;
		this.ended.then(() => (isOver = true));
		await until(`${this.name} is ready`, () => {
			if (isOver) throw new Error(`${this.name} has ended at its start; see ${this.log}`);
			return this.isReady();
		});
		return this;
	}

	get isRunning() {
		return this.child && this.child.exitCode === null && this.child.signalCode === null;
	}

	async #end(signal) {
		if (!this.isRunning) return {};
		this.child.kill(signal);
		const impatience = setTimeout(() => this.child.kill('SIGKILL'), 20000 * slowness);
		const how = await this.ended;
		clearTimeout(impatience);
		return how;
	}

	kill() {
		return this.#end('SIGKILL');
	}

	stop() {
		return this.#end('SIGTERM');
	}
}

async function isReadyAt(url) {
	try {
		const answer = await fetch(url);
		await answer.arrayBuffer();
		return answer.status === 200;
	} catch {
		return false;
	}
}

export class Stack {
	static async start(options) {
		const stack = new Stack();
		stack.directory = await mkdtemp(`${tmpdir()}/wr-stack.`);
		try {
			await stack.#start(options);
		} catch (error) {
			await stack.stop({ keep: true });
			throw error;
		}
		return stack;
	}

	async #start({ queues, pods = 2, admitters = 2, nginx = false, env = {} }) {
		this.parts = [];
		this.adminKey = `wrk_${randomBytes(16).toString('hex')}`;
		const [storePort, brokerPort, sitePort, shopPort] = await Promise.all([...Array(4)].map(freePort));
		this.site = `http://localhost:${sitePort}`;
		const targets = [this.site];
		await this.#files(queues.map((queue) => ({ allowed_targets: targets, ...queue })));
		this.store = await this.#part('store', ['redis-server', '--port', storePort, '--bind', '127.0.0.1', '--dir',
			this.directory, '--appendonly', 'yes', '--appendfsync', 'no', '--save', ''], {}, () => listens(storePort));
		this.broker = await this.#part('broker', ['nats-server', '-a', '127.0.0.1', '-p', brokerPort, '-js', '-sd',
			`${this.directory}/broker`], {}, () => listens(brokerPort));
		const common = {
			WR_STORE_URL: `redis://127.0.0.1:${storePort}`, WR_NATS_URL: `nats://127.0.0.1:${brokerPort}`,
			WR_TOKEN_KEYS_FILE: `${this.directory}/keys.json`, WR_QUEUES_FILE: `${this.directory}/queues.json`,
			WR_ADMIN_KEYS_FILE: `${this.directory}/admin.json`, WR_PUBLIC_URL: `${this.site}/_wr`,
			WR_TRUSTED_PROXIES: '127.0.0.1', WR_SECURE_COOKIES: '0', WR_DRAIN_WAIT_MS: '0', WR_WORKERS: '1',
			WR_REQUESTS_PER_ADDRESS: '0', WR_REQUESTS_PER_NETWORK: '0', WR_CONNECTION_MEMORY_BYTES: '32768', ...env,
		};
		this.pods = await Promise.all([...Array(pods).keys()].map((number) => this.#program('api', number, common)));
		this.admitters = await Promise.all([...Array(admitters).keys()].map((number) => this.#program('admitter', number, common)));
		if (nginx) await this.#nginx(sitePort, shopPort);
	}

	async #files(queues) {
		const sha256 = createHash('sha256').update(this.adminKey).digest('hex');
		await writeFile(`${this.directory}/queues.json`, JSON.stringify({ queues }));
		await writeFile(`${this.directory}/admin.json`, JSON.stringify({ keys: [{ id: 'tests', sha256 }] }), { mode: 0o600 });
		const made = spawn(`${binaries}/waitingroom-api`, ['--generate-keys', `${this.directory}/keys.json`], { stdio: 'ignore' });
		await new Promise((done, failed) => made.once('exit', done).once('error', failed));
	}

	async #part(name, command, env, isReady) {
		const part = new Part(this, name, command.map(String), env, isReady);
		this.parts.push(part);
		return part.start();
	}

	async #program(kind, number, common) {
		const [port, internalPort] = [await freePort(), await freePort()];
		const internal = `http://127.0.0.1:${internalPort}`;
		const env = { ...common, WR_LISTEN: `127.0.0.1:${port}`, WR_INTERNAL_LISTEN: `127.0.0.1:${internalPort}` };
		const part = await this.#part(`${kind}-${number + 1}`, [`${binaries}/waitingroom-${kind}`], env, () => isReadyAt(`${internal}/readyz`));
		return Object.assign(part, { url: `http://127.0.0.1:${port}`, internal, port });
	}

	// deploy/nginx as it is, with the ports of this stack. A master of root would give its workers to
	// nobody, who cannot read the shop.
	async #nginx(sitePort, shopPort) {
		const prefix = `${this.directory}/nginx`;
		await mkdir(prefix);
		const changes = [
			[/127\.0\.0\.1:8081/g, `127.0.0.1:${this.pods[0].port}`], [/127\.0\.0\.1:8085/g, `127.0.0.1:${shopPort}`],
			[/127\.0\.0\.1:8082/g, `127.0.0.1:${(this.pods[1] ?? this.pods[0]).port}`],
			[/listen 8080;/, `listen 127.0.0.1:${sitePort};`],
			['root /usr/share/waitingroom/shop;', `root ${root}deploy/shop;`],
		];
		for (const name of ['nginx', 'waitingroom', 'shop', 'gate-down-closed', 'gate-down-open']) {
			const text = await readFile(`${root}deploy/nginx/${name}.conf`, 'utf8');
			await writeFile(`${prefix}/${name}.conf`, changes.reduce((so, [from, to]) => so.replace(from, to), text));
		}
		const asUser = process.getuid() === 0 ? ['-g', 'user root;'] : [];
		await this.#part('nginx', ['nginx', '-e', 'stderr', '-p', prefix, '-c', 'nginx.conf', ...asUser], {}, () => listens(sitePort));
	}

	// An answer of the admin API, read. path: behind /admin/v1/queues
	async admin(method, path, body) {
		const pod = this.pods.find((each) => each.isRunning);
		const answer = await fetch(`${pod.internal}/admin/v1/queues${path}`, {
			method, body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${this.adminKey}` },
		});
		const text = await answer.text();
		if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
		return text && JSON.parse(text);
	}

	// Settings of a queue, changed; every pod has them on return.
	async change(queue, settings) {
		const before = await this.admin('GET', `/${queue}`);
		const { version } = await this.admin('PUT', `/${queue}`, { ...before.settings, ...settings });
		await until(`every pod has ${queue} at version ${version}`, async () =>
			(await this.states(queue)).every((state) => state?.version >= version));
	}

	// The queue anew: nobody in it, nobody on the site. Every pod has it on return.
	async renew(queue, settings) {
		const former = (await this.states(queue)).map((state) => state?.epoch);
		await this.admin('DELETE', `/${queue}`).catch((error) => {
			if (!/ 404 /.test(error.message)) throw error;
		});
		await until(`${queue} is made anew`, () =>
			this.admin('PUT', `/${queue}`, { allowed_targets: [this.site], ...settings }).catch((error) => {
				if (!/ 503 /.test(error.message)) throw error;
			}));
		await until(`every pod has the new ${queue}`, async () => {
			const states = await this.states(queue);
			return states.every((state) => state && state.epoch === states[0].epoch && !former.includes(state.epoch));
		});
	}

	// What each running pod believes of a queue.
	async states(queue) {
		return Promise.all(this.pods.filter((pod) => pod.isRunning).map(async (pod) =>
			(await (await fetch(`${pod.internal}/debug/state`)).json()).queues.find((each) => each.queue === queue)));
	}

	async stop({ keep = false } = {}) {
		const ends = [];
		for (const part of [...(this.parts ?? [])].reverse()) ends.push([part.name, await part.stop()]);
		if (!keep) await rm(this.directory, { recursive: true, force: true });
		const bad = ends.filter(([name, { code, error }]) => /^(api|admitter)/.test(name) && (error || (code ?? 0) !== 0));
		if (bad.length) throw new Error(`did not end in good order: ${bad.map(([name, how]) => `${name} ${JSON.stringify(how)}`)}`);
	}
}
