import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCorpus, readQueries, type DatasetDocument } from '../eval/dataset.js';
import { startStandalone } from '../eval/standalone.js';
import { measureFreshness } from './freshness.js';
import { measureIngestion } from './ingestion.js';
import { measureSearchOverhead } from './search-overhead.js';

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '1000' },
    dataset: { type: 'string', default: '../shared/datasets/scifact' },
  },
});
const root = process.cwd();
const results: [what: string, measured: string, limit: string][] = [];

function report(what: string, measured: string, limit: string): void {
  results.push([what, measured, limit]);
  process.stderr.write(`${what}: ${measured} (limit ${limit})\n`);
}

/** Resident memory of one process in MB, as the operating system counts it. */
const residentMb = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;

async function firstDocuments(folder: string, count: number): Promise<DatasetDocument[]> {
  const documents: DatasetDocument[] = [];
  for await (const document of readCorpus(folder)) if (documents.push(document) === count) break;
  return documents;
}

const begin = performance.now();
const ragmesh = await startStandalone(root);
try {
  report('first start → ready', `${((performance.now() - begin) / 1000).toFixed(1)} s`, '–');
  const freshness = await measureFreshness(ragmesh.url);
  report(
    'upload → searchable, one page, idle, p50 (p90)',
    `${freshness.p50.toFixed(0)} ms (${freshness.p90.toFixed(0)})`,
    '≤ 300 ms',
  );
  report('resident memory, idle, model loaded', `${residentMb(ragmesh.pid).toFixed(0)} MB`, '≤ 450 MB');
  const documents = await firstDocuments(values.dataset, Number(values.documents));
  const model = join(root, 'services/model/bundled/all-MiniLM-L6-v2');
  const s1 = await measureIngestion(ragmesh.url, documents, model);
  report(
    `S1 ingestion, ${s1.documents} documents, ${s1.tokens} tokens, share of raw ONNX Runtime`,
    `${(s1.ratio * 100).toFixed(0)} % (${s1.tokensPerSecond.toFixed(0)} of ${s1.rawTokensPerSecond.toFixed(0)} tokens/s)`,
    '≥ 70 %',
  );
  const questions = (await readQueries(values.dataset)).map(({ text }) => text);
  const s2 = await measureSearchOverhead(ragmesh.url, 's1', questions);
  report(
    'S2 search overhead beyond embed + index, p50 (p99)',
    `${s2.overheadP50.toFixed(2)} ms (${s2.overheadP99.toFixed(2)}) of ${s2.wallP50.toFixed(2)} ms`,
    '≤ 2 ms p50',
  );
  report('resident memory after the run', `${residentMb(ragmesh.pid).toFixed(0)} MB`, '–');
} finally {
  await ragmesh.stop();
}

const table = [
  '| what | measured | limit |',
  '| --- | --- | --- |',
  ...results.map((row) => `| ${row.join(' | ')} |`),
].join('\n');
process.stdout.write(`${table}\n`);
await mkdir(join(root, 'bench/results'), { recursive: true });
await writeFile(join(root, 'bench/results/latest.json'), `${JSON.stringify(results, null, 2)}\n`);
