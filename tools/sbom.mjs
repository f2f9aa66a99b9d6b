/**
 * `npm run sbom`: writes what ragmesh is made of, as a CycloneDX bill of materials, to `dist/sbom.cdx.json` or to the file of
 * `--output`. Two builds of one package-lock.json give the same file: no time, no serial number, no address of a registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: { output: { type: 'string', default: join(root, 'dist', 'sbom.cdx.json') } },
});

/** What npm knows and nobody else should see or could use: where this copy was fetched from, and where it lies. */
const withoutPlaces = (component) => ({
  ...component,
  properties: (component.properties ?? []).filter(({ name }) => name !== 'cdx:npm:package:path'),
  externalReferences: (component.externalReferences ?? []).filter(({ type }) => type !== 'distribution'),
});

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
/** `name@version` of each package of which a copy ships. */
const used = new Set(
  Object.entries(packages)
    .filter(([, { dev }]) => !dev)
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`),
);

const isDevelopment = ({ name, value }) => name === 'cdx:npm:package:development' && value === 'true';

/** npm's own `--omit=dev` also drops what ships and a tool needs, too. */
const isForDevelopment = (component) =>
  (component.properties ?? []).some(isDevelopment) && !used.has(component['bom-ref']);

/** Of several copies of a package npm tells of the first alone, which may be that of a tool and optional for that. */
function asUsed({ scope, properties = [], ...component }) {
  const isOfTool = properties.some(isDevelopment);
  const others = properties.filter((property) => !isDevelopment(property));
  return withoutPlaces({ ...component, scope: isOfTool ? 'required' : scope, properties: others });
}

/** The components that ship, and how they depend on each other. */
function shipped({ components, dependencies }) {
  const kept = components.filter((component) => !isForDevelopment(component));
  const dropped = new Set(components.filter(isForDevelopment).map((component) => component['bom-ref']));
  const edges = dependencies
    .filter(({ ref }) => !dropped.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => !dropped.has(other)) }));
  return { components: kept.map(asUsed), dependencies: edges };
}

const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
if (status === 0) {
  const { serialNumber: _serial, metadata, ...bill } = JSON.parse(stdout);
  const { timestamp: _time, component, ...rest } = metadata;
  const ragmesh = { ...withoutPlaces(component), type: 'application', name: 'ragmesh' };
  const whole = { ...bill, metadata: { ...rest, component: ragmesh }, ...shipped(bill) };
  mkdirSync(dirname(options.output), { recursive: true });
  writeFileSync(options.output, `${JSON.stringify(whole, undefined, 2)}\n`);
  console.log(`${whole.components.length} components`);
} else {
  console.error(stderr);
  process.exitCode = 1;
}
