import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RagmeshClient } from './client.js';
import { parseConfigurations, type Configuration } from './configurations.js';
import { ingest, measure } from './evaluation.js';
import { drops, readBaseline, updateBaseline } from './gate.js';
import { asTable, failures, parseThreshold, type ModeReport } from './report.js';
import { startStandalone } from './standalone.js';

const USAGE = `npm run eval -- <dataset folder> [--url http://127.0.0.1:8080] [--configurations lexical,dense,hybrid]
                 [--with name='{"mode": "hybrid", "alpha": 0.3}']... [--collection name] [--json file]
                 [--min lexical.ndcg@10=.679]... [--gate baseline.json] [--baseline baseline.json]
Configurations are lexical, dense, hybrid (these three by default), rrf, rerank and mmr.`;

const STANDARD = ['lexical', 'dense', 'hybrid'];

const options = {
  url: { type: 'string' },
  configurations: { type: 'string' },
  with: { type: 'string', multiple: true, default: [] as string[] },
  collection: { type: 'string', default: 'default' },
  json: { type: 'string' },
  min: { type: 'string', multiple: true, default: [] as string[] },
  gate: { type: 'string' },
  baseline: { type: 'string' },
} as const;

/** Measures retrieval on a judged collection. Exit code 1: worse than it may be; 2: wrong use or a failure. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Error(`One dataset folder is needed.\n${USAGE}`);
  const dataset = basename(resolve(folder));
  const thresholds = values.min.map(parseThreshold);
  const gate = values.gate === undefined ? undefined : await readBaseline(values.gate);
  const before = gate?.datasets[dataset] ?? {};
  const gated = Object.keys(before);
  const names = values.configurations?.split(',') ?? (gated.length > 0 ? gated : STANDARD);
  const configurations = parseConfigurations(names, values.with);
  // A further one that was never measured has nothing to be compared with.
  const compared = configurations.map(({ name }) => name).filter((name) => names.includes(name) || name in before);
  const modes = await evaluate(folder, configurations, values);
  if (values.baseline) await updateBaseline(values.baseline, dataset, modes);
  const worse = [...failures(modes, thresholds), ...(gate ? drops(gate, dataset, modes, compared) : [])];
  for (const sentence of worse) progress(sentence);
  return worse.length > 0 ? 1 : 0;
}

async function evaluate(
  folder: string,
  configurations: readonly Configuration[],
  { url, collection, json }: { url?: string; collection: string; json?: string },
): Promise<ModeReport[]> {
  const server = url ? { url, stop: async () => {} } : await startStandalone(process.cwd());
  try {
    const client = new RagmeshClient(server.url, process.env['RAGMESH_API_KEY']);
    const from = performance.now();
    const documents = await ingest(client, folder, collection, progress);
    const ingestSeconds = (performance.now() - from) / 1_000;
    const modes: ModeReport[] = [];
    for (const configuration of configurations) {
      progress(`searching ${configuration.name}`);
      modes.push(await measure(client, folder, collection, configuration));
    }
    process.stdout.write(`${asTable(modes)}\n`);
    const result = { dataset: basename(resolve(folder)), documents, ingest_seconds: ingestSeconds, modes };
    if (json) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
    return modes;
  } finally {
    await server.stop();
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
