import { execFileSync } from 'node:child_process';
import { readQueries, type DatasetDocument } from '../eval/dataset.js';
import { startStandalone } from '../eval/standalone.js';
import { measureFreshness } from './freshness.js';
import { measureIngestion } from './ingestion.js';
import type { Report } from './report.js';
import { measureSearchOverhead } from './search-overhead.js';

/** What every bench works with. */
export interface BenchInput {
  readonly root: string;
  /** Folder of the dataset the documents are from. */
  readonly dataset: string;
  readonly documents: readonly DatasetDocument[];
  /** Folder of the embedding model. */
  readonly model: string;
}

/** Resident memory of one process in MB, as the operating system counts it. */
const residentMb = (pid: number): string =>
  `${(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024).toFixed(0)} MB`;

/** One process with everything in it. */
export async function benchStandalone(report: Report, { root, dataset, documents, model }: BenchInput): Promise<void> {
  const begin = performance.now();
  const ragmesh = await startStandalone(root);
  try {
    report.add('first start → ready', `${((performance.now() - begin) / 1000).toFixed(1)} s`, '–');
    const { p50, p90 } = await measureFreshness(ragmesh.url);
    report.add(
      'upload → searchable, one page, idle, p50 (p90)',
      `${p50.toFixed(0)} ms (${p90.toFixed(0)})`,
      '≤ 300 ms',
    );
    report.add('resident memory, idle, model loaded', residentMb(ragmesh.pid), '≤ 450 MB');
    const s1 = await measureIngestion(ragmesh.url, documents, model);
    report.add(...s1Row('S1 ingestion', s1, '≥ 70 %'));
    const questions = (await readQueries(dataset)).map(({ text }) => text);
    const s2 = await measureSearchOverhead(ragmesh.url, 's1', questions);
    const overhead = `${s2.overheadP50.toFixed(2)} ms (${s2.overheadP99.toFixed(2)}) of ${s2.wallP50.toFixed(2)} ms`;
    report.add('S2 search overhead beyond embed + index, p50 (p99)', overhead, '≤ 2 ms p50');
    report.add('resident memory after the run', residentMb(ragmesh.pid), '–');
  } finally {
    await ragmesh.stop();
  }
}

/** How an ingestion is told. */
export function s1Row(
  what: string,
  s1: Awaited<ReturnType<typeof measureIngestion>>,
  limit: string,
): [string, string, string] {
  const rates = `${s1.tokensPerSecond.toFixed(0)} of ${s1.rawTokensPerSecond.toFixed(0)} tokens/s`;
  const name = `${what}, ${s1.documents} documents, ${s1.tokens} tokens, share of raw ONNX Runtime`;
  return [name, `${(s1.ratio * 100).toFixed(0)} % (${rates})`, limit];
}
