import type { IncomingMessage } from 'node:http';
import { Readable, pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { tooLarge, unknownEncoding } from './egress-errors.js';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * The content of an answer, inflated as it is read. Both what arrives and what it inflates to is held to `maxBytes`, so that
 * neither a few bytes that inflate without end nor an endless stream that inflates to nothing is read on.
 * @param explain puts a failure on the way into words.
 * @throws RagmeshError EGRESS.TOO_LARGE at once when the server announces more, EGRESS.REJECTED for an unknown encoding.
 */
export function decodedBody(response: IncomingMessage, maxBytes: number, explain: (error: unknown) => Error): Readable {
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const encoding = (response.headers['content-encoding'] ?? '').trim().toLowerCase();
  const isPlain = encoding === '' || encoding === 'identity';
  if (!isPlain && !Object.hasOwn(decoders, encoding)) throw unknownEncoding();
  const content = isPlain ? response : inflated(response, decoders[encoding]!(), maxBytes);
  return Readable.from(explained(response, limited(content, maxBytes), explain), { objectMode: false });
}

function inflated(response: IncomingMessage, decoder: Transform, maxBytes: number): AsyncIterable<Buffer> {
  const held = (source: AsyncIterable<Buffer>): AsyncIterable<Buffer> => limited(source, maxBytes);
  return pipeline(response, held, decoder, () => undefined); // who reads the decoder is told its failure
}

async function* limited(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    yield piece;
  }
}

async function* explained(
  response: IncomingMessage,
  content: AsyncIterable<Buffer>,
  explain: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (error) {
    throw explain(error);
  } finally {
    response.destroy();
  }
}
