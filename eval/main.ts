import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RagmeshClient } from './client.js';
import { ingest, measure } from './evaluation.js';
import { asTable, failures, parseThreshold, type ModeReport } from './report.js';
import { startStandalone } from './standalone.js';

const USAGE = `npm run eval -- <dataset folder> [--url http://127.0.0.1:8080] [--modes lexical,dense,hybrid]
                 [--collection name] [--json file] [--min lexical.ndcg@10=.679]...`;

/** Measures retrieval on a judged collection. Exit code 1: a floor was not reached; 2: wrong use or a failure. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      modes: { type: 'string', default: 'lexical,dense,hybrid' },
      collection: { type: 'string' },
      json: { type: 'string' },
      min: { type: 'string', multiple: true, default: [] },
    },
  });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Error(`One dataset folder is needed.\n${USAGE}`);
  const thresholds = values.min.map(parseThreshold);
  const dataset = basename(resolve(folder));
  const collection = values.collection ?? 'default';
  const server = values.url ? { url: values.url, stop: async () => {} } : await startStandalone(process.cwd());
  try {
    const client = new RagmeshClient(server.url, process.env['RAGMESH_API_KEY']);
    const from = performance.now();
    const documents = await ingest(client, folder, collection, progress);
    const ingestSeconds = (performance.now() - from) / 1_000;
    const modes: ModeReport[] = [];
    for (const mode of values.modes.split(',')) {
      progress(`searching ${mode}`);
      modes.push(await measure(client, folder, collection, mode));
    }
    const result = { dataset, documents, ingest_seconds: ingestSeconds, modes };
    process.stdout.write(`${asTable(modes)}\n`);
    if (values.json) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
    const missed = failures(modes, thresholds);
    for (const sentence of missed) progress(sentence);
    return missed.length > 0 ? 1 : 0;
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
