import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachConcurrently } from '../eval/concurrency.js';
import type { DatasetDocument } from '../eval/dataset.js';
import { processorTime, processorTimeBetween, type ProcessorTime } from './processor-time.js';
import { measureRawOnnx } from './raw-onnx.js';
import { chunkTexts, settled, uploadFile, uploadText } from './requests.js';

export interface IngestionResult {
  /** Those that became ready. */
  readonly documents: number;
  /** Those that were refused or failed. */
  readonly failed: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly documentsPerSecond: number;
  readonly rawTokensPerSecond: number;
  /** Share of the raw rate: S1. */
  readonly ratio: number;
  /** Seconds used per document, by who used them; undefined where the system does not tell. */
  readonly processorTimePerDocument: ProcessorTime | undefined;
}

export interface IngestionWork {
  readonly documents: readonly DatasetDocument[];
  /** Paths of files, uploaded first: their reading overlaps with the embedding of what follows. */
  readonly files?: readonly string[];
  /** Folder of the embedding model, for the raw rate. */
  readonly model: string;
}

const UPLOADS_AT_ONCE = 32;
const COLLECTION = 's1';

/**
 * S1: first upload to last ready, against ONNX Runtime alone on the very same chunks. The raw rate is the mean of two
 * runs, because the machine's speed drifts.
 *
 * @param pid process whose processor time is told, with what it started
 */
export async function measureIngestion(url: string, work: IngestionWork, pid?: number): Promise<IngestionResult> {
  const before = pid === undefined ? undefined : processorTime(pid);
  const begin = performance.now();
  const uploads = [
    ...(work.files ?? []).map((file) => () => uploadFile(url, COLLECTION, file)),
    ...work.documents.map(
      ({ text }) =>
        () =>
          uploadText(url, COLLECTION, text),
    ),
  ];
  const accepted: string[] = [];
  await forEachConcurrently(uploads, UPLOADS_AT_ONCE, async (upload) => {
    const id = await upload();
    if (id) accepted.push(id);
  });
  const ready: string[] = [];
  await forEachConcurrently(accepted, UPLOADS_AT_ONCE, async (id) => {
    if (await settled(url, id)) ready.push(id);
  });
  const seconds = (performance.now() - begin) / 1000;
  const after = pid === undefined ? undefined : processorTime(pid);
  const texts: string[] = [];
  await forEachConcurrently(ready, 8, async (id) => void texts.push(...(await chunkTexts(url, id))));
  const raw = [await measureRawOnnx(texts, work.model), await measureRawOnnx(texts, work.model)];
  const rawTokensPerSecond = raw.reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0) / raw.length;
  const { tokens } = raw[0]!;
  return {
    documents: ready.length,
    failed: uploads.length - ready.length,
    tokens,
    tokensPerSecond: tokens / seconds,
    documentsPerSecond: ready.length / seconds,
    rawTokensPerSecond,
    ratio: tokens / seconds / rawTokensPerSecond,
    processorTimePerDocument: before && after && perDocument(processorTimeBetween(before, after), ready.length),
  };
}

function perDocument(time: ProcessorTime, documents: number): ProcessorTime {
  return {
    mainThread: time.mainThread / documents,
    otherThreads: time.otherThreads / documents,
    postgres: time.postgres / documents,
    otherProcesses: time.otherProcesses / documents,
  };
}

/** The real files of a folder, as its MANIFEST.tsv lists them. */
export async function filesOf(folder: string): Promise<string[]> {
  const [, ...lines] = (await readFile(join(folder, 'MANIFEST.tsv'), 'utf8')).trim().split(/\r?\n/);
  return lines.map((line) => join(folder, line.split('\t')[0]!));
}
