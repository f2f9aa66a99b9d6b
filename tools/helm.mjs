/**
 * `npm run helm`: puts the charts together in `dist/charts`, each with what it depends on, ready for `helm install` and `helm package`.
 * `npm run helm -- package`: writes their archives beside them, too.
 * `npm run test:cluster [-- --values FILE --wait]`: installs the umbrella on the cluster of `KUBECONFIG`, upgrades it, rolls it back and
 * removes it; with `--wait` its pods must become ready, too.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import './register-typescript.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const charts = join(root, 'dist/charts');
const clusterValues = join(root, 'helm/ragmesh/ci/cluster-values.yaml');

/** Paths that differed from what code and values make. */
export async function refreshCharts(folder, check) {
  const { chartArtefacts } = await import('../helm/tooling/artefacts.ts');
  const changed = [...(await chartArtefacts(folder))].filter(([path, content]) => {
    return !existsSync(join(folder, path)) || readFileSync(join(folder, path), 'utf8') !== content;
  });
  if (!check) for (const [path, content] of changed) writeFileSync(join(folder, path), content);
  return changed.map(([path]) => path);
}

async function build() {
  const { assembleCharts } = await import('../helm/tooling/assemble-charts.ts');
  return assembleCharts(root, charts);
}

const commands = {
  async build() {
    console.log(`${(await build()).join(', ')} are in ${charts}`);
  },
  async package() {
    const { helm } = await import('../helm/tooling/chart-programs.ts');
    for (const name of await build()) helm(['package', join(charts, name), '--destination', charts]);
    console.log(`archives are in ${charts}`);
  },
  async cluster({ values, wait }) {
    await build();
    const { tryOnCluster } = await import('../helm/tooling/try-on-cluster.ts');
    const say = (line) => console.log(line);
    tryOnCluster({ chart: join(charts, 'ragmesh'), values: values ?? clusterValues, wait, say });
  },
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { values: { type: 'string' }, wait: { type: 'boolean', default: false } },
  });
  const command = commands[positionals[0] ?? 'build'];
  try {
    if (!command) throw new Error(`Usage: npm run helm -- ${Object.keys(commands).join('|')}`);
    await command(values);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
