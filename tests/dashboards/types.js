// Are the dashboards what Grafana's own types say that a dashboard is? For scripts/check-dashboards.
//
//     node tests/dashboards/types.js <dashboard.json>...
//
// Each file becomes a constant of the type Dashboard of @grafana/schema, and the options and custom
// fields of each panel constants of its kind's types; TypeScript complains about keys that do not exist
// and values that are not allowed. Nothing is written: the compiler reads the program from memory.
// Exit code 77: TypeScript or the types are not installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tests = fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(join(tests, 'node_modules/@grafana/schema')) || !existsSync(join(tests, 'node_modules/typescript'))) {
	console.log('types: not checked: @grafana/schema or typescript is not installed; scripts/node-packages does');
	process.exit(77);
}
const { default: ts } = await import('typescript');

const kinds = { stat: 'Stat', timeseries: 'TimeSeries' };
const typesOf = (kind) => `@grafana/schema/dist/esm/raw/composable/${kind}/panelcfg/x/${kinds[kind]}PanelCfg_types.gen`;
const head = [
	"import type { Dashboard } from '@grafana/schema';",
	...Object.keys(kinds).map((kind) => `import type * as ${kind} from '${typesOf(kind)}';`),
	// In JSON a member of an enumeration is written as its value.
	'type Written<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Written<T[K]> } : T;',
];

// The query of an annotation is the data source's affair, as those of panels are.
const withoutQueries = (dashboard) => ({
	...dashboard,
	annotations: { ...dashboard.annotations, list: dashboard.annotations.list.map(({ expr, titleFormat, textFormat, tagKeys, ...rest }) => rest) },
});

const program = (dashboard) => {
	const lines = [...head, `export const dashboard: Written<Dashboard> = ${JSON.stringify(withoutQueries(dashboard))};`];
	for (const panel of dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])) {
		if (!(panel.type in kinds)) continue;
		lines.push(`export const options${panel.id}: Written<Partial<${panel.type}.Options>> = ${JSON.stringify(panel.options)};`);
		if (panel.fieldConfig.defaults.custom)
			lines.push(`export const custom${panel.id}: Written<${panel.type}.FieldConfig> = ${JSON.stringify(panel.fieldConfig.defaults.custom)};`);
	}
	return lines.join('\n');
};

const options = { strict: true, noEmit: true, skipLibCheck: true, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022, types: [] };
const sources = new Map(process.argv.slice(2).map((file) => [join(tests, `${file.split('/').at(-1)}.ts`), { file, text: program(JSON.parse(readFileSync(file, 'utf8'))) }]));
const host = ts.createCompilerHost(options);
const { fileExists, readFile, getSourceFile } = host;
host.fileExists = (path) => sources.has(path) || fileExists(path);
host.readFile = (path) => sources.get(path)?.text ?? readFile(path);
host.getSourceFile = (path, ...rest) => (sources.has(path) ? ts.createSourceFile(path, sources.get(path).text, ...rest) : getSourceFile(path, ...rest));

const found = ts.getPreEmitDiagnostics(ts.createProgram([...sources.keys()], options, host));
for (const { file, start, messageText } of found) {
	const near = file && start !== undefined ? ` near ${file.text.slice(Math.max(0, start - 40), start + 40)}` : '';
	console.log(`${sources.get(file?.fileName)?.file ?? file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 300)}${near}`);
}
process.exitCode = found.length ? 1 : 0;
