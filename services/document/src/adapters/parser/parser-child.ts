/**
 * Entry of the child process. Reads jobs from standard input and answers on descriptor 3; standard output is no channel,
 * since libraries write there. It sees neither the data folder nor the environment: bytes come and go through pipes.
 */
import { Socket } from 'node:net';
import { RagmeshError } from '@ragmesh/errors';
import { split } from '../../domain/splitting/splitter.js';
import type { Chunk } from '../../domain/splitting/chunk.js';
import { encodeFrame, FrameReader, type FrameType } from './frames.js';
import { lockNetwork } from './network-lock.js';
import { takeThreads } from './parent-watch.js';
import { parseDocument } from './parse-document.js';
import type { ParseFailure, ParseJob, ParseSummary } from './parse-job.js';

/** A batch ends at whichever comes first, so that the parent decodes it in about a millisecond. */
const batchChunks = 64;
const batchUnits = 65_536;
const textUnits = 65_536;

const answers = new Socket({ fd: 3, readable: false, writable: true });
lockNetwork();
const watchParent = takeThreads();

async function send(type: FrameType, payload: Uint8Array | string = ''): Promise<void> {
  if (answers.write(encodeFrame(type, payload))) return;
  await new Promise((resolve) => answers.once('drain', resolve));
}

async function run(job: ParseJob, bytes: Buffer): Promise<void> {
  const document = await parseDocument({ bytes, ...job }, job.limits);
  for (let from = 0; from < document.text.length;) {
    const to = pieceEnd(document.text, from);
    await send('text', document.text.slice(from, to));
    from = to;
  }
  const chunkCount = await sendChunks(split(document, job.splitting));
  const { mediaType, title, pages, text } = document;
  await send(
    'done',
    JSON.stringify({ mediaType, title, pages, characters: text.length, chunkCount } satisfies ParseSummary),
  );
}

/** Never between the halves of a surrogate pair: each piece is encoded by itself. */
function pieceEnd(text: string, from: number): number {
  const to = from + textUnits;
  if (to >= text.length) return text.length;
  const unit = text.charCodeAt(to);
  return unit >= 0xdc00 && unit <= 0xdfff ? to - 1 : to;
}

async function sendChunks(chunks: Iterable<Chunk>): Promise<number> {
  let batch: Chunk[] = [];
  let units = 0;
  let count = 0;
  for (const chunk of chunks) {
    batch.push(chunk);
    units += chunk.text.length;
    count += 1;
    if (batch.length < batchChunks && units < batchUnits) continue;
    await send('chunks', JSON.stringify(batch));
    batch = [];
    units = 0;
  }
  if (batch.length > 0) await send('chunks', JSON.stringify(batch));
  return count;
}

function failureOf(error: unknown): ParseFailure {
  if (error instanceof RagmeshError) return { code: error.code, message: error.message, details: error.details };
  if (error instanceof RangeError) {
    const sentence = 'The document needs more memory than the limit allows.';
    return { code: 'DOCUMENT.LIMIT_EXCEEDED', message: sentence, details: { limit: 'memory' } };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return { code: 'DOCUMENT.PARSER_CRASHED', message: 'The parser failed unexpectedly.', details: { error: name } };
}

const reader = new FrameReader();
let job: ParseJob | null = null;
let pieces: Buffer[] = [];

// Libraries work on in the background after a document was given up, and what fails there is nobody's: without this it would
// end the process, and with it the next document, which has done nothing. What a document waits for fails the document.
process.on('unhandledRejection', () => undefined);

await send('ready');
for await (const piece of process.stdin as AsyncIterable<Buffer>) {
  for (const { type, payload } of reader.push(piece)) {
    if (type === 'job') {
      job = JSON.parse(payload.toString()) as ParseJob;
      watchParent(); // a child that waits for its first job sees by its input that the parent is gone, and costs less
    } else if (type === 'file') pieces.push(payload);
    else if (type === 'end' && job) {
      const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      pieces = [];
      await run(job, bytes).catch((error: unknown) => send('failed', JSON.stringify(failureOf(error))));
    }
  }
}
process.exit(0);
