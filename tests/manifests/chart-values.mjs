// Do the values for NATS's own chart say the same as our component nats-statefulset?
import fs from 'node:fs';
import yaml from 'yaml';

const component = (name) => fs.readFileSync(new URL(`../../k8s/components/${name}`, import.meta.url), 'utf8');
const values = yaml.parse(component('nats-chart-values.yaml'));
const set = yaml.parseAllDocuments(component('nats-statefulset/broker.yaml')).map((document) => document.toJS()).find((object) => object.kind === 'StatefulSet').spec;
const conf = component('nats-statefulset/nats.conf');
const pod = set.template.spec;
const container = pod.containers[0];
const store = values.config.jetstream.fileStore;
const ours = values.podTemplate.merge;
const said = (word) => new RegExp(`${word}: (\\S+)`).exec(conf)[1];

const pairs = {
	servers: [values.config.cluster.replicas, set.replicas],
	disk: [store.pvc.size, set.volumeClaimTemplates[0].spec.resources.requests.storage],
	'share of the disk': [store.maxSize, said('max_file_store')],
	'largest message': [values.config.merge.max_payload, said('max_payload')],
	'time for clients to leave': [values.config.merge.lame_duck_duration, said('lame_duck_duration')],
	memory: [values.container.merge.resources.limits.memory, container.resources.limits.memory],
	'memory of Go': [values.container.env.GOMEMLIMIT, container.env.find((entry) => entry.name === 'GOMEMLIMIT').value],
	'time to stop': [ours.spec.terminationGracePeriodSeconds, pod.terminationGracePeriodSeconds],
	'security of the pod': [JSON.stringify(ours.spec.securityContext), JSON.stringify(pod.securityContext)],
	'security of the container': [JSON.stringify(values.container.merge.securityContext), JSON.stringify(container.securityContext)],
	'the label that policies go by': [ours.metadata.labels['app.kubernetes.io/component'], set.template.metadata.labels['app.kubernetes.io/component']],
};
const broken = Object.entries(pairs).filter(([, [chart, component]]) => chart === undefined || chart !== component);
for (const [what, [chart, component]] of broken) console.log(`chart values: ${what}: ${chart}; the component has ${component}`);
process.exit(broken.length ? 1 : 0);
