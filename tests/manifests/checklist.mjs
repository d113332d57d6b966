// Checklist: what every rendered overlay must say, whatever its schema would allow.
//
//   kubectl kustomize k8s/overlays/production | node checklist.mjs production
//   node checklist.mjs production <file>...
//
// One line for each rule that is broken, with the object; exit code 1 when there is any. 'strict'
// rules are those of overlays that people depend on (staging and production). With files in place of the
// input it only names those that break no rule, which is what planted faults are tried with.
import fs from 'node:fs';
import yaml from 'yaml';

const template = (workload) => (workload.spec.jobTemplate?.spec ?? workload.spec).template;
const pod = (workload) => template(workload).spec;
const each = (list, rule) => list.flatMap((item) => (rule(item) ? [] : [`${item.kind} ${item.metadata.name}`]));
const containers = (workload) => [...(pod(workload).initContainers ?? []), ...pod(workload).containers];
const inAll = (workload, rule) => containers(workload).every(rule);
const selects = (selector, workload) =>
	Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => template(workload).metadata.labels[key] === value);
const observers = yaml.parse(fs.readFileSync(new URL('../../k8s/monitoring/namespace.yaml', import.meta.url), 'utf8'));
const runbookFiles = new URL('../../deploy/runbooks/', import.meta.url);
const runbooks = fs.readdirSync(runbookFiles).map((name) => fs.readFileSync(new URL(name, runbookFiles), 'utf8')).join('\n');
const gateways = ['gateway-api/httproute.yaml', 'envoy/istio.yaml'].map((name) => [name, fs.readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8')]);
const isOpen = (peers) => !peers || peers.some((peer) => Object.keys(peer).length === 0);

function check(overlay, text) {
	const strict = overlay !== 'dev';
	const objects = yaml.parseAllDocuments(text).map((document) => document.toJS());
	const of = (...kinds) => objects.filter((object) => kinds.includes(object.kind));
	const workloads = of('Deployment', 'StatefulSet');
	const jobs = of('CronJob');
	const podded = [...workloads, ...jobs];
	const ours = workloads.filter((workload) => workload.metadata.name.startsWith('waitingroom-'));
	const autoscaled = (workload) =>
		[...of('HorizontalPodAutoscaler'), ...of('ScaledObject')].filter((scaler) => scaler.spec.scaleTargetRef.name === workload.metadata.name);

	const rules = {
		'no replicas where an autoscaler owns them, and one owner': () =>
			each(of('Deployment'), (d) => autoscaled(d).length <= 1 && (autoscaled(d).length === 0) === (d.spec.replicas !== undefined)),
		'rolling update without a pod less': () =>
			each(of('Deployment'), (d) => d.spec.strategy?.rollingUpdate?.maxUnavailable === 0 && d.spec.minReadySeconds > 0 &&
				d.spec.revisionHistoryLimit > 0 && d.spec.progressDeadlineSeconds > 0),
		'images by digest': () =>
			strict ? each(podded, (w) => inAll(w, (c) => /@sha256:[0-9a-f]{64}$/.test(c.image))) : each(podded, (w) => inAll(w, (c) => !/:latest$/.test(c.image) && /:/.test(c.image))),
		'requests for CPU and memory, memory limited': () =>
			each(podded, (w) => inAll(w, (c) => c.resources?.requests?.cpu && c.resources.requests.memory && c.resources.limits?.memory)),
		'three probes': () => each(workloads, (w) => inAll(w, (c) => c.startupProbe && c.readinessProbe && c.livenessProbe)),
		'our liveness asks about nothing but ourselves': () =>
			each(ours, (w) => inAll(w, (c) => c.livenessProbe.httpGet.path === '/livez' && c.readinessProbe.httpGet.path === '/readyz')),
		'time to stop: longer than waiting and draining': () => {
			const settings = of('ConfigMap').find((map) => map.metadata.name.startsWith('waitingroom-settings'))?.data ?? {};
			const drain_s = (Number(settings.WR_DRAIN_WAIT_MS) + Number(settings.WR_DRAIN_LIMIT_MS)) / 1000;
			return each(ours, (w) => pod(w).terminationGracePeriodSeconds > drain_s + (containers(w)[0].lifecycle?.preStop?.sleep?.seconds ?? 0));
		},
		'spread over zones and hosts, each revision for itself': () =>
			each(ours, (w) => ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].every((key) =>
				pod(w).topologySpreadConstraints?.some((c) => c.topologyKey === key && c.matchLabelKeys?.includes('pod-template-hash') && selects(c.labelSelector, w)))),
		'a disruption budget where there are several': () =>
			each(workloads.filter((w) => (w.spec.replicas ?? 2) > 1), (w) =>
				of('PodDisruptionBudget').some((b) => selects(b.spec.selector, w) && b.spec.maxUnavailable === 1 && b.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow')),
		'an autoscaler says how fast, both ways': () =>
			[...of('HorizontalPodAutoscaler').filter((h) => !(h.spec.behavior?.scaleUp && h.spec.behavior?.scaleDown)),
				...of('ScaledObject').filter((s) => !(s.spec.advanced?.horizontalPodAutoscalerConfig?.behavior?.scaleUp && s.spec.fallback))].map((o) => `${o.kind} ${o.metadata.name}`),
		'no service variables, no token of the cluster, an account each': () =>
			each(podded, (w) => pod(w).enableServiceLinks === false && pod(w).automountServiceAccountToken === false &&
				of('ServiceAccount').some((a) => a.metadata.name === pod(w).serviceAccountName && a.automountServiceAccountToken === false)),
		'no roles': () => of('Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding').map((o) => `${o.kind} ${o.metadata.name}`),
		'no secret values, secrets as files that others cannot read': () =>
			[...of('Secret').map((o) => `Secret ${o.metadata.name}`),
				...each(podded, (w) => inAll(w, (c) => !(c.env ?? []).some((e) => e.valueFrom?.secretKeyRef) && !(c.envFrom ?? []).some((e) => e.secretRef)) &&
					(pod(w).volumes ?? []).every((v) => !v.secret || v.secret.defaultMode === 0o400))],
		'settings by content and unchangeable': () => each(of('ConfigMap').filter((m) => !m.metadata.labels?.grafana_dashboard), (m) => m.immutable === true && /-[a-z0-9]{10}$/.test(m.metadata.name)),
		'settings that the programs know': () => {
			const table = fs.readFileSync(new URL('../../include/waitingroom/config.h', import.meta.url), 'utf8');
			const names = [...of('ConfigMap').flatMap((map) => Object.keys(map.data ?? {})), ...ours.flatMap((w) => containers(w).flatMap((c) => (c.env ?? []).map((e) => e.name)))];
			return names.filter((name) => name.startsWith('WR_') && !table.includes(`"${name}"`));
		},
		'restricted pods': () =>
			each(podded, (w) => pod(w).securityContext?.runAsNonRoot === true && pod(w).securityContext.runAsUser > 0 && pod(w).securityContext.runAsGroup > 0 &&
				pod(w).securityContext.seccompProfile?.type === 'RuntimeDefault' && !pod(w).hostNetwork && !pod(w).hostPID && !pod(w).hostIPC &&
				(pod(w).volumes ?? []).every((v) => v.configMap || v.secret || v.emptyDir || v.persistentVolumeClaim) &&
				inAll(w, (c) => c.securityContext?.allowPrivilegeEscalation === false && c.securityContext.readOnlyRootFilesystem === true &&
					c.securityContext.capabilities?.drop?.includes('ALL') && !c.securityContext.privileged && (c.ports ?? []).every((p) => !p.hostPort))),
		'scratch space has a size': () => each(podded, (w) => (pod(w).volumes ?? []).every((v) => !v.emptyDir || v.emptyDir.sizeLimit)),
		'the namespace enforces restricted pods, of a version': () =>
			each(of('Namespace'), (n) => ['enforce', 'audit', 'warn'].every((mode) => n.metadata.labels[`pod-security.kubernetes.io/${mode}`] === 'restricted' &&
				/^v1\.\d+$/.test(n.metadata.labels[`pod-security.kubernetes.io/${mode}-version`]))),
		'everything is denied first, both ways': () =>
			of('NetworkPolicy').some((p) => Object.keys(p.spec.podSelector).length === 0 && p.spec.policyTypes.length === 2 && !p.spec.ingress && !p.spec.egress) ? [] : ['NetworkPolicy default-deny is missing'],
		'every workload has a policy, and no edge is open to all': () =>
			[...each(podded, (w) => of('NetworkPolicy').some((p) => Object.keys(p.spec.podSelector).length > 0 && selects(p.spec.podSelector, w))),
				...each(of('NetworkPolicy'), (p) => (p.spec.ingress ?? []).every((rule) => !isOpen(rule.from) && rule.ports?.length) &&
					(p.spec.egress ?? []).every((rule) => !isOpen(rule.to) && rule.ports?.length))],
		'observers come from the namespace that is made for them': () =>
			each(ours, (w) => of('NetworkPolicy').some((p) => selects(p.spec.podSelector, w) && (p.spec.ingress ?? []).some((rule) =>
				rule.from?.some((f) => Object.entries(f.namespaceSelector?.matchLabels ?? { none: '' }).every(([key, value]) => observers.metadata.labels[key] === value)) &&
				rule.ports?.some((x) => x.port === containers(w)[0].ports.find((p) => p.name === 'internal').containerPort)))),
		'the internal port is on no public service and no route': () =>
			[...each(of('HTTPRoute'), (r) => r.spec.rules.every((rule) => rule.backendRefs.every((b) => b.name === 'waitingroom-api' && b.port === 80))),
				...each(of('Ingress'), (i) => i.spec.rules.every((rule) => rule.http.paths.every((p) => p.backend.service.name === 'waitingroom-api'))),
				...each(of('Service').filter((s) => s.metadata.name === 'waitingroom-api'), (s) => s.spec.ports.length === 1 && s.spec.ports[0].targetPort === 'public'),
				...each(of('Service'), (s) => (s.spec.type ?? 'ClusterIP') === 'ClusterIP')],
		'routes lead to what visitors need and nowhere else': () =>
			[...of('HTTPRoute').flatMap((r) => r.spec.rules.flatMap((rule) => rule.matches.map((m) => m.path.value))),
				...of('Ingress').flatMap((i) => i.spec.rules.flatMap((rule) => rule.http.paths.map((p) => p.path)))].filter((path) => path === '/' || /^\/(admin|metrics|debug|authz|livez|readyz)/.test(path)),
		'quota and default limits': () => (of('ResourceQuota').length && of('LimitRange').length ? [] : ['ResourceQuota or LimitRange is missing']),
		'the recommended labels on everything': () =>
			each(objects, (o) => ['name', 'part-of', 'instance', 'version', 'managed-by'].every((label) => o.metadata.labels?.[`app.kubernetes.io/${label}`]) &&
				(['Namespace', 'ResourceQuota', 'LimitRange', 'ConfigMap', 'NetworkPolicy'].includes(o.kind) || o.metadata.labels['app.kubernetes.io/component'])),
		'certificate at the way in': () => (overlay !== 'production' || of('Certificate').length ? [] : ['Certificate is missing']),
		'monitors for both workloads': () =>
			strict ? each(ours, (w) => of('PodMonitor').some((m) => selects(m.spec.selector, w) && m.spec.podMetricsEndpoints.every((e) => e.port === 'internal'))) : [],
		'the numbers of the store are scraped, under the name that rules know': () =>
			!strict || of('PodMonitor').some((m) => workloads.some((w) => selects(m.spec.selector, w) && inAll(w, (c) => /redis.?exporter/.test(c.image))) &&
				m.spec.podMetricsEndpoints.every((e) => e.relabelings?.some((r) => r.targetLabel === 'job' && r.replacement === 'store'))) ? [] : ['PodMonitor store'],
		'a nightly backup with a way back': () =>
			overlay === 'dev' ? [] : ['waitingroom-backup', 'waitingroom-restore', 'waitingroom-restore-look'].filter((name) => {
				const job = jobs.find((j) => j.metadata.name === name);
				return !job || (job.spec.suspend ?? false) !== (name !== 'waitingroom-backup') ||
					!(pod(job).volumes ?? []).some((v) => of('PersistentVolumeClaim').some((c) => c.metadata.name === v.persistentVolumeClaim?.claimName));
			}).map((name) => `CronJob ${name}`),
		'jobs run one at a time, end, and are cleared away': () =>
			each(jobs, (j) => j.spec.concurrencyPolicy === 'Forbid' && j.spec.successfulJobsHistoryLimit > 0 && j.spec.failedJobsHistoryLimit > 0 && j.spec.timeZone &&
				j.spec.startingDeadlineSeconds > 0 && j.spec.jobTemplate.spec.backoffLimit <= 3 && j.spec.jobTemplate.spec.activeDeadlineSeconds > 0 &&
				j.spec.jobTemplate.spec.ttlSecondsAfterFinished > 0 && pod(j).restartPolicy === 'Never'),
		'a backup is let in by store and broker': () =>
			each(jobs, (j) => [6379, 4222].every((port) => of('NetworkPolicy').some((p) =>
				(p.spec.ingress ?? []).some((rule) => rule.ports?.some((x) => x.port === port) && rule.from?.some((f) => f.podSelector && selects(f.podSelector, j)))))),
		'the gateways of deploy/ ask at a port that the service has': () => {
			const service = of('Service').find((s) => s.metadata.name === 'waitingroom-api');
			const asked = gateways.flatMap(([name, text]) => [...text.matchAll(/\bwaitingroom-api(?:\.[a-z.]+\n *|, namespace: \w+, )port: (\d+)/g)].map(([, port]) => [name, Number(port)]));
			if (asked.length < 3) return ['the gateways ask nobody'];
			return asked.filter(([, port]) => !service.spec.ports.some((p) => p.port === port)).map(([name, port]) => `${name}: port ${port}`);
		},
		'what runbooks tell to look at is there': () => {
			// The operator makes a service of the name of a Dragonfly.
			const kinds = { svc: ['Service', 'Dragonfly'], deploy: ['Deployment'], deployment: ['Deployment'], cronjob: ['CronJob'] };
			const named = [...runbooks.matchAll(/kubectl[^`]*?\b(svc|deploy|deployment|cronjob)\/([a-z-]+)/g)];
			if (named.length < 5) return ['the runbooks name nothing'];
			return overlay === 'dev' ? [] : named.filter(([, kind, name]) => !of(...kinds[kind]).some((o) => o.metadata.name === name)).map(([, kind, name]) => `${kind}/${name}`);
		},
		'a store refuses before its memory ends': () => {
			const mebibytes = (text) => Number(/^\d+/.exec(text)) * (/g/i.test(text) ? 1024 : 1);
			const stores = [...of('Dragonfly').map((o) => [o, o.spec.args.join('='), o.spec.resources]),
				...of('StatefulSet').filter((w) => w.metadata.name === 'store').map((w) => [w, (containers(w)[0].args ?? []).join('='), containers(w)[0].resources])];
			if (stores.length === 0) return ['there is no store'];
			return stores.filter(([, args, { limits }]) => {
				const own = /maxmemory=(\d+\w+)/.exec(args)?.[1];
				return !own || mebibytes(own) > 0.85 * mebibytes(limits.memory);
			}).map(([o]) => `${o.kind} ${o.metadata.name}`);
		},
		'stores keep their data on volumes': () => each(of('StatefulSet'), (s) => s.spec.volumeClaimTemplates?.length > 0),
	};

	const broken = Object.entries(rules).flatMap(([rule, find]) => find().map((what) => `${overlay}: ${what}: broken: ${rule}`));
	return { broken, size: `${objects.length} objects, ${Object.keys(rules).length} rules` };
}

function isSound(...what) {
	try {
		return check(...what).broken.length === 0;
	} catch {
		return false;
	}
}

const [overlay, ...files] = process.argv.slice(2);
if (files.length) {
	for (const file of files)
		if (isSound(overlay, fs.readFileSync(file, 'utf8'))) console.log(file);
} else {
	const { broken, size } = check(overlay, fs.readFileSync(0, 'utf8'));
	for (const line of broken) console.log(line);
	console.log(`${overlay}: ${size}, ${broken.length} broken`);
	process.exit(broken.length ? 1 : 0);
}
