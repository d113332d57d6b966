// Do the secrets that are made by hand have the names and keys of those that come from a vault?
//
//   node secrets.mjs <rendered overlay with ExternalSecrets> <Secrets>
import fs from 'node:fs';
import yaml from 'yaml';

const read = (path, kind) => yaml.parseAllDocuments(fs.readFileSync(path, 'utf8')).map((document) => document.toJS()).filter((object) => object?.kind === kind);
const lines = (list) => list.flat().sort();

const vault = lines(read(process.argv[2], 'ExternalSecret').map((o) => o.spec.data.map(({ secretKey }) => `${o.spec.target.name}/${secretKey}`)));
const hand = lines(read(process.argv[3], 'Secret').map((o) => Object.keys(o.data).map((key) => `${o.metadata.name}/${key}`)));
const odd = [...vault.filter((key) => !hand.includes(key)).map((key) => `${key}: k8s/README.md does not make it`),
	...hand.filter((key) => !vault.includes(key)).map((key) => `${key}: nobody takes it`)];
for (const line of odd) console.log(`secrets: ${line}`);
if (vault.length === 0) console.log('secrets: no vault gives anything');
process.exit(odd.length || vault.length === 0 ? 1 : 0);
