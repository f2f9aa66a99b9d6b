import { errorCatalogue, RagmeshError, type ErrorCode } from '@ragmesh/errors';
import type { SplittingOptions, Chunk } from '../../domain/splitting/chunk.js';
import { ChunkBatches } from './chunk-batches.js';
import { limitExceeded } from './document-text.js';
import type { Frame } from './frames.js';
import { watchMemory } from './memory-watch.js';
import type { ParseFailure, ParseSummary } from './parse-job.js';
import type { ParserLimits } from './parser-limits.js';
import { TextFile } from './text-file.js';
import type { WarmChild } from './warm-child.js';

export interface ParseRequest {
  readonly path: string;
  /** Only settles which textual format it is, when the content leaves that open. */
  readonly fileName?: string;
  /** It is UTF-8 and stays as it is, whatever format it looks like. */
  readonly isPlainText?: boolean;
  /** Where the canonical text is written, as UTF-8. After a failure there is no file. */
  readonly outputPath: string;
  readonly splitting: SplittingOptions;
}

export interface ParseResult {
  readonly mediaType: string;
  readonly title: string | null;
  /** UTF-16 units of the canonical text. */
  readonly characters: number;
  readonly pages: number | null;
  readonly chunkCount: number;
  /** Decoded while it is read, so that a book never stands in memory twice nor blocks the event loop. */
  readonly chunks: AsyncIterable<Chunk>;
}

/** Runs one document through a child and holds it to the limits. The child is killed unless the run ends orderly. */
export async function runParse(
  child: WarmChild,
  request: ParseRequest,
  limits: ParserLimits,
  signal?: AbortSignal,
): Promise<ParseResult> {
  const chunks = new ChunkBatches();
  const file = new TextFile(request.outputPath, () => child.resume());
  const { promise: settled, resolve, reject } = Promise.withResolvers<ParseSummary>();
  // It may fail while the signal or the file already decided the outcome.
  settled.catch(() => undefined);
  const receive = ({ type, payload }: Frame): void => {
    if (type === 'text' && !file.write(payload)) child.pause();
    else if (type === 'chunks') chunks.add(payload);
    else if (type === 'done') resolve(JSON.parse(payload.toString()) as ParseSummary);
    else if (type === 'failed') reject(failureOf(JSON.parse(payload.toString()) as ParseFailure));
  };
  const abort = () => reject(signal?.reason);
  const timer = setTimeout(() => reject(timeout(limits.timeoutMs)), limits.timeoutMs);
  const endWatch = watchMemory(child.pid ?? 0, limits.memoryBytes, () => reject(outOfMemory(limits)));
  signal?.addEventListener('abort', abort);
  child.attach(receive, () => reject(child.ranOutOfMemory ? outOfMemory(limits) : crashed()));
  try {
    signal?.throwIfAborted();
    const { fileName, isPlainText, splitting } = request;
    child.send({ fileName, isPlainText, splitting, limits }, request.path).catch(reject);
    const summary = await settled;
    await file.finish();
    return { ...summary, chunks };
  } catch (error) {
    if (!isOrderly(error)) child.kill();
    await file.discard();
    throw error;
  } finally {
    clearTimeout(timer);
    endWatch();
    signal?.removeEventListener('abort', abort);
    child.detach();
  }
}

/** Failures the child reported itself and after which it is as good as before. */
const orderly = new WeakSet<object>();
const isOrderly = (error: unknown): boolean => typeof error === 'object' && error !== null && orderly.has(error);

/** What the child says is not trusted: an unknown code becomes a crash. */
function failureOf({ code, message, details }: ParseFailure): RagmeshError {
  if (!Object.hasOwn(errorCatalogue, code) || code === 'DOCUMENT.PARSER_CRASHED') return crashed(details);
  const error = new RagmeshError(code as ErrorCode, message, details);
  if (details.limit !== 'memory') orderly.add(error);
  return error;
}

function crashed(details: ParseFailure['details'] = {}): RagmeshError {
  return new RagmeshError('DOCUMENT.PARSER_CRASHED', 'The process that reads documents ended unexpectedly.', details);
}

function timeout(timeoutMs: number): RagmeshError {
  const sentence = `Reading the document took longer than the limit of ${timeoutMs} ms.`;
  return new RagmeshError('DOCUMENT.PARSE_TIMEOUT', sentence, { limit: 'time', allowed: timeoutMs });
}

const outOfMemory = ({ memoryBytes }: ParserLimits) => limitExceeded('memory', memoryBytes, 'bytes');
