import { startStandalone } from '../eval/standalone.js';
import type { BenchInput } from './bench-input.js';
import { questionsOf } from './corpus.js';
import { measureFreshness } from './freshness.js';
import { filesOf, measureIngestion, type IngestionResult } from './ingestion.js';
import { residentMb } from './memory.js';
import type { Report } from './report.js';
import { measureSearchOverhead } from './search-overhead.js';

/** Start, upload to searchable, memory, S1 on abstracts alone, S2, start with that data: one process with everything in it, one after the other. */
export async function benchSpine(report: Report, input: BenchInput): Promise<void> {
  const { root, documents, model } = input;
  const begin = performance.now();
  const ragmesh = await startStandalone(root);
  try {
    report.add('first start → ready', `${((performance.now() - begin) / 1000).toFixed(1)} s`, '–');
    const { p50, p90 } = await measureFreshness(ragmesh.url);
    report.add(
      'upload → searchable, one page, idle, p50 (p90)',
      `${p50.toFixed(0)} ms (${p90.toFixed(0)})`,
      '≤ 300 ms',
      p50 <= 300,
    );
    const idleMb = residentMb(ragmesh.pid);
    report.add('resident memory, idle, model loaded', `${idleMb.toFixed(0)} MB`, '≤ 450 MB', idleMb <= 450);
    const s1 = await measureIngestion(ragmesh.url, { documents, model }, ragmesh.pid);
    report.add(...s1Row('S1 ingestion, abstracts only', s1, 70));
    reportProcessorTime(report, 'abstracts only', s1);
    const s2 = await measureSearchOverhead(ragmesh.url, 's1', await questionsOf(input));
    const overhead = `${s2.overheadP50.toFixed(2)} ms (${s2.overheadP99.toFixed(2)}) of ${s2.wallP50.toFixed(2)} ms`;
    report.add('S2 search overhead beyond embed + index, p50 (p99)', overhead, '≤ 1 ms p50', s2.overheadP50 <= 1);
    report.add('resident memory after the run', `${residentMb(ragmesh.pid).toFixed(0)} MB`, '–');
    const againMs = await ragmesh.restart();
    report.add('second start → ready, by `npm start`', `${(againMs / 1000).toFixed(1)} s`, '≤ 3 s', againMs <= 3_000);
  } finally {
    await ragmesh.stop();
  }
}

/** S1: dataset and real files into an empty database. */
export async function benchIngestion(report: Report, { root, documents, model, files }: BenchInput): Promise<void> {
  const ragmesh = await startStandalone(root);
  try {
    const work = { documents, files: await filesOf(files), model };
    const s1 = await measureIngestion(ragmesh.url, work, ragmesh.pid);
    report.add(...s1Row(`S1 ingestion with real files (${s1.failed} of them unreadable)`, s1, 70));
    reportProcessorTime(report, 'with real files', s1);
    report.add('S1 resident memory after it', `${residentMb(ragmesh.pid).toFixed(0)} MB`, '–');
  } finally {
    await ragmesh.stop();
  }
}

/** How an ingestion is told, and whether it reached at least so many percent of the raw library. */
export function s1Row(what: string, s1: IngestionResult, percent: number): [string, string, string, boolean] {
  const rates = `${s1.tokensPerSecond.toFixed(0)} of ${s1.rawTokensPerSecond.toFixed(0)} tokens/s`;
  const name = `${what}, ${s1.documents} documents, ${s1.tokens} tokens, share of raw ONNX Runtime`;
  const told = `${(s1.ratio * 100).toFixed(0)} % (${rates}, ${s1.documentsPerSecond.toFixed(1)} documents/s)`;
  return [name, told, `≥ ${percent} %`, s1.ratio * 100 >= percent];
}

function reportProcessorTime(report: Report, what: string, s1: IngestionResult): void {
  const time = s1.processorTimePerDocument;
  if (!time) return;
  const ms = (seconds: number): string => `${(seconds * 1000).toFixed(1)} ms`;
  const told = `main thread ${ms(time.mainThread)}, its other threads ${ms(time.otherThreads)}, PostgreSQL ${ms(time.postgres)}, other processes ${ms(time.otherProcesses)}`;
  report.add(`S1 processor time per document, ${what}`, told, '–');
}
