/**
 * Writes what READMEs say about the code from the code itself: the event table and each service's configuration, between
 * `<!-- name -->` and `<!-- /name -->`; and the dashboards and rules of `deploy`. With `--check` it only says what is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { processConfig } from '@ragmesh/bootstrap';
import { configTable } from '@ragmesh/config';
import { eventTable, serviceNames } from '@ragmesh/contracts';
import { backupConfig } from '../dist/backup/backup.config.js';
import { logFieldTable, metricTable, spanTable } from '@ragmesh/observability';
import { refreshCharts } from './helm.mjs';
import { refreshObservability } from './observability.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

async function configOf(service) {
  const module = await import(join(root, `services/${service}/dist/${service}.config.js`));
  return module[`${service}Config`];
}

async function write(readme, section, table) {
  const path = join(root, readme);
  const before = readFileSync(path, 'utf8');
  const [open, close] = [`<!-- ${section} -->`, `<!-- /${section} -->`];
  const [start, end] = [before.indexOf(open), before.indexOf(close)];
  if (start < 0 || end < 0) throw new Error(`${readme} has no section ${section}`);
  const body = await format(table, { parser: 'markdown', printWidth: 120 });
  const after = `${before.slice(0, start + open.length)}\n\n${body.trim()}\n\n${before.slice(end)}`;
  if (after === before) return true;
  if (!check) writeFileSync(path, after);
  return false;
}

const fresh = [['libs/contracts/README.md', await write('libs/contracts/README.md', 'events', eventTable())]];
for (const service of [...serviceNames, 'standalone', 'mesh']) {
  const readme = `services/${service}/README.md`;
  fresh.push([readme, await write(readme, 'configuration', configTable(await configOf(service)))]);
}
const observability = 'libs/observability/README.md';
for (const [section, table] of [
  ['metrics', metricTable()],
  ['spans', spanTable()],
  ['log fields', logFieldTable()],
])
  fresh.push([observability, await write(observability, section, table)]);
const bootstrap = 'libs/bootstrap/README.md';
fresh.push([bootstrap, await write(bootstrap, 'configuration', configTable(processConfig))]);
const backup = 'backup/README.md';
fresh.push([backup, await write(backup, 'configuration', configTable(backupConfig))]);
const staleReadmes = fresh.filter(([, isFresh]) => !isFresh).map(([readme]) => readme);
const stale = [...staleReadmes, ...(await refreshObservability(root, check)), ...(await refreshCharts(root, check))];
if (check && stale.length > 0) {
  console.error(`These files are stale, run "npm run docs": ${stale.join(', ')}`);
  process.exitCode = 1;
}
