// What the compose files must say, whatever their schema would allow.
//
//   node compose.mjs <deploy directory> [<compose-spec.json>]
//   node compose.mjs --sound <deploy directory>...
//
// One line for each rule that is broken, with the service; exit code 1 when there is any. With the
// schema both files are held against it as well. Values come from .env.example. --sound only names the
// directories that break no rule, which is what planted faults are tried with.
import fs from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import yaml from 'yaml';

const settings = ['include/waitingroom/config.h', 'cmd/wrctl/context.c'].map((path) => fs.readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).join('');

function check(directory, schema) {
	const read = (name) => fs.readFileSync(path.join(directory, name), 'utf8');
	const env = Object.fromEntries(read('.env.example').split('\n').filter((line) => /^[A-Z_]+=/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
	const texts = { 'compose.yaml': read('compose.yaml'), 'compose.observability.yaml': read('compose.observability.yaml') };
	const unknown = [];
	const fill = (text) => text.replace(/\$\$/g, '\u0000').replace(/\$\{([A-Z_]+)(?::[?-][^}]*)?\}/g, (_, name) => {
		if (!(name in env)) unknown.push(name);
		return env[name] || 'x';
	}).replace(/\u0000/g, '$');
	const files = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, yaml.parse(fill(text), { merge: true })]));
	const [stack, observers] = Object.values(files);
	// As compose merges files: what stands in both is taken together.
	const both = (a = {}, b = {}) => ({ ...a, ...b, ...(a.environment || b.environment ? { environment: { ...a.environment, ...b.environment } } : {}) });
	const services = Object.fromEntries([...new Set([...Object.keys(stack.services), ...Object.keys(observers.services)])].map((name) => [name, both(stack.services[name], observers.services[name])]));
	const each = (rule, of = Object.entries(services)) => of.filter(([name, service]) => !rule(service, name)).map(([name]) => name);
	const programs = Object.entries(services).filter(([, service]) => service.image === env.WAITINGROOM_IMAGE);
	const once = (service) => service.restart === 'no';
	const bound = (service) => (service.volumes ?? []).map((volume) => volume.split(':'));
	const networks = { ...stack.networks, ...observers.networks };

	const rules = {
		'every variable is in .env.example': () => unknown,
		'passwords have no default and are asked for': () =>
			[...Object.entries(env).filter(([name, value]) => /PASSWORD/.test(name) && value).map(([name]) => name),
				...Object.entries(texts).flatMap(([, text]) => [...text.matchAll(/\$\{([A-Z_]*PASSWORD)([^}]*)\}/g)].filter((match) => !match[2].startsWith(':?')).map((match) => match[1]))],
		'images are pinned, never latest': () => each((service) => /^[^\s]+:[\w][\w.-]*(@sha256:[0-9a-f]{64})?$/.test(service.image) && !/:latest/.test(service.image)),
		'nothing is written to the image': () => each((service) => service.read_only === true),
		'no capabilities, no new privileges': () => each((service) => service.cap_drop?.includes('ALL') && !service.cap_add && !service.privileged && service.security_opt?.includes('no-new-privileges:true')),
		'somebody in particular, and not root': () => each((service, name) => name === 'broker' || /^[1-9]\d*:\d+$/.test(service.user)),
		'a limit of processes, of memory and of logs': () => each((service, name) => service.pids_limit && (service.mem_limit || name === 'store') && service.logging?.options?.['max-size']),
		'health is asked for, or the reason why not is clear': () => each((service, name) => once(service) || service.healthcheck?.test || (service.healthcheck?.disable && /exporter/.test(name))),
		'who needs somebody waits until they are healthy': () =>
			each((service) => Object.entries(service.depends_on ?? {}).every(([name, need]) =>
				services[name] && need.condition === (once(services[name]) ? 'service_completed_successfully' : services[name].healthcheck?.disable ? 'service_started' : 'service_healthy'))),
		'our programs with servers wait for both': () => each((service) => !service.environment?.WR_STORE_URL || (service.depends_on.store && service.depends_on.broker), programs),
		'settings that the programs know': () => programs.flatMap(([, service]) => Object.keys(service.environment ?? {})).filter((name) => !settings.includes(`"${name}"`)),
		'two pods and two admitters': () => ['waitingroom-api', 'waitingroom-admitter'].filter((program) => programs.filter(([, service]) => service.command[0] === `/usr/bin/${program}`).length < 2),
		'only nginx is published to all': () => each((service, name) => (service.ports ?? []).every((port) => name === 'nginx' || port.startsWith('127.0.0.1:'))),
		'store and broker are on the back network only, which leads nowhere': () =>
			[...each((service, name) => !['store', 'broker'].includes(name) || (service.networks.length === 1 && service.networks[0] === 'back')), ...(networks.back?.internal ? [] : ['back'])],
		'nginx and visitors never reach the back network': () => ['nginx', 'crowd', 'grafana', 'prometheus', 'alertmanager', 'jaeger'].filter((name) => services[name].networks.includes('back')),
		'pods trust the network of nginx and no other': () => {
			const subnet = networks.front?.ipam?.config?.[0]?.subnet;
			return each((service) => !service.environment?.WR_TRUSTED_PROXIES || (subnet && service.environment.WR_TRUSTED_PROXIES === subnet), programs);
		},
		'the store runs with what scripts need': () =>
			['--cluster_mode=emulated', '--lock_on_hashtags', '--cache_mode=false'].filter((flag) => !services.store.command.includes(flag)).concat(services.store.command.filter((word) => /requirepass/.test(word))),
		'traces go where somebody takes them': () => each((service) => !service.environment?.WR_TRACES_ENDPOINT || (new URL(service.environment.WR_TRACES_ENDPOINT).hostname in services && service.networks.some((network) => services[new URL(service.environment.WR_TRACES_ENDPOINT).hostname].networks.includes(network)))),
		'what is mounted is there, and files of ours cannot be written': () =>
			each((service) => bound(service).every(([from, , mode]) => from.startsWith('.') ? mode === 'ro' && fs.existsSync(path.join(directory, from)) : from in { ...stack.volumes, ...observers.volumes })),
		'the rules and dashboards are those of the cluster': () =>
			['./prometheus/alerts.yml', './prometheus/recording.yml', './prometheus/prometheus.yml', './grafana/dashboards', './grafana/provisioning', './alertmanager/alertmanager.yml']
				.filter((file) => !Object.values(services).some((service) => bound(service).some(([from]) => from === file))),
		'targets are services of ours': () =>
			Object.values(observers.configs).flatMap((config) => JSON.parse(config.content).flatMap((row) => row.targets)).filter((target) => !(target.split(':')[0] in services)),
		'the queues of the demo are JSON': () => { try { JSON.parse(stack.configs.queues.content); return []; } catch { return ['queues']; } },
		'configs that are used are there': () => each((service) => (service.configs ?? []).every((config) => config.source in { ...stack.configs, ...observers.configs })),
		'no host namespaces, no sockets of the engine': () => each((service) => !service.pid && !service.ipc && service.network_mode !== 'host' && !bound(service).some(([from]) => from.startsWith('/'))),
	};

	const broken = Object.entries(rules).flatMap(([rule, find]) => find().map((what) => `${what}: broken: ${rule}`));
	if (schema) {
		const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
		const validate = ajv.compile({ ...JSON.parse(fs.readFileSync(schema, 'utf8')), $schema: undefined });
		for (const [name, file] of Object.entries(files))
			if (!validate(file)) broken.push(...validate.errors.map((error) => `${name}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`));
	}
	return { broken, size: `${Object.keys(services).length} services, ${Object.keys(rules).length} rules` };
}

function isSound(directory) {
	try {
		return check(directory).broken.length === 0;
	} catch {
		return false;
	}
}

const [directory, ...others] = process.argv.slice(2);
if (directory === '--sound') {
	for (const other of others) if (isSound(other)) console.log(other);
} else {
	const { broken, size } = check(directory, others[0]);
	for (const line of broken) console.log(`compose: ${line}`);
	console.log(`compose: ${size}, ${broken.length} broken`);
	process.exit(broken.length ? 1 : 0);
}
