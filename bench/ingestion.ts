import { forEachConcurrently } from '../eval/concurrency.js';
import type { DatasetDocument } from '../eval/dataset.js';
import { chunkTexts, uploadText, waitReady } from './requests.js';
import { measureRawOnnx } from './raw-onnx.js';

export interface IngestionResult {
  readonly documents: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly rawTokensPerSecond: number;
  /** Share of the raw rate: S1. */
  readonly ratio: number;
}

const UPLOADS_AT_ONCE = 32;

/**
 * S1: upload to ready of whole documents, against ONNX Runtime alone on the very same chunks. The raw rate is the mean of
 * two runs, because the machine's speed drifts.
 */
export async function measureIngestion(
  url: string,
  documents: readonly DatasetDocument[],
  modelFolder: string,
): Promise<IngestionResult> {
  const begin = performance.now();
  const ids: string[] = [];
  await forEachConcurrently(
    documents,
    UPLOADS_AT_ONCE,
    async (document) => void ids.push(await uploadText(url, 's1', document.text)),
  );
  await forEachConcurrently(ids, UPLOADS_AT_ONCE, (id) => waitReady(url, id));
  const seconds = (performance.now() - begin) / 1000;
  const texts: string[] = [];
  await forEachConcurrently(ids, 8, async (id) => void texts.push(...(await chunkTexts(url, id))));
  const raw = [await measureRawOnnx(texts, modelFolder), await measureRawOnnx(texts, modelFolder)];
  const rawTokensPerSecond = raw.reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0) / raw.length;
  const { tokens } = raw[0]!;
  return {
    documents: documents.length,
    tokens,
    tokensPerSecond: tokens / seconds,
    rawTokensPerSecond,
    ratio: tokens / seconds / rawTokensPerSecond,
  };
}
