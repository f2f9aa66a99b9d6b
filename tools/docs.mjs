/**
 * Writes what documents say about the code from the code itself: the event table, each service's configuration, and the metrics, spans
 * and log fields, between `<!-- name -->` and `<!-- /name -->`; and the dashboards and rules of `deploy`. With `--check` it only says
 * what is stale, and which README of a lib or service no longer fits on one screen.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
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
const screenLines = 60;

async function configOf(service) {
  const module = await import(join(root, `services/${service}/dist/${service}.config.js`));
  return module[`${service}Config`];
}

async function write(document, section, table) {
  const path = join(root, document);
  const before = readFileSync(path, 'utf8');
  const [open, close] = [`<!-- ${section} -->`, `<!-- /${section} -->`];
  const [start, end] = [before.indexOf(open), before.indexOf(close)];
  if (start < 0 || end < 0) throw new Error(`${document} has no section ${section}`);
  const body = await format(table, { parser: 'markdown', printWidth: 120 });
  const after = `${before.slice(0, start + open.length)}\n\n${body.trim()}\n\n${before.slice(end)}`;
  if (after === before) return true;
  if (!check) writeFileSync(path, after);
  return false;
}

/** READMEs of libs and services that are longer than one screen, with their number of lines. */
function longReadmes() {
  const folders = ['libs', 'services'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  return folders
    .map((folder) => `${folder}/README.md`)
    .filter((readme) => existsSync(join(root, readme)))
    .map((readme) => [readme, readFileSync(join(root, readme), 'utf8').trimEnd().split('\n').length])
    .filter(([, lines]) => lines > screenLines);
}

const fresh = [['libs/contracts/README.md', await write('libs/contracts/README.md', 'events', eventTable())]];
for (const service of [...serviceNames, 'standalone', 'mesh']) {
  const document = `services/${service}/CONFIGURATION.md`;
  fresh.push([document, await write(document, 'configuration', configTable(await configOf(service)))]);
}
const observability = 'libs/observability/CATALOGUE.md';
for (const [section, table] of [
  ['metrics', metricTable()],
  ['spans', spanTable()],
  ['log fields', logFieldTable()],
])
  fresh.push([observability, await write(observability, section, table)]);
const bootstrap = 'libs/bootstrap/CONFIGURATION.md';
fresh.push([bootstrap, await write(bootstrap, 'configuration', configTable(processConfig))]);
const backup = 'backup/README.md';
fresh.push([backup, await write(backup, 'configuration', configTable(backupConfig))]);
const staleDocuments = fresh.filter(([, isFresh]) => !isFresh).map(([document]) => document);
const stale = [...staleDocuments, ...(await refreshObservability(root, check)), ...(await refreshCharts(root, check))];
if (check && stale.length > 0) {
  console.error(`These files are stale, run "npm run docs": ${stale.join(', ')}`);
  process.exitCode = 1;
}
const long = check ? longReadmes().map(([readme, lines]) => `${readme} (${lines})`) : [];
if (long.length > 0) {
  console.error(
    `These READMEs have more than ${screenLines} lines, move what is not needed first into a file beside them: ${long.join(', ')}`,
  );
  process.exitCode = 1;
}
