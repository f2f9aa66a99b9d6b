import { RagmeshError } from '@ragmesh/errors';

/** A chunk the caller cut. */
export interface ReadyChunk {
  readonly text: string;
  readonly metadata?: Record<string, unknown>;
}

/** The canonical text of ready-made chunks, and where each lies in it. */
export interface JoinedChunks {
  readonly text: string;
  readonly spans: readonly (readonly [number, number, null, null, Record<string, unknown>?])[];
}

const SEPARATOR = '\n\n';

/** Joins the texts by an empty line, so that offsets and content work as for any document. */
export function joinReadyChunks(chunks: readonly ReadyChunk[]): JoinedChunks {
  let at = 0;
  const spans = chunks.map(({ text, metadata }) => {
    const start = at;
    at += text.length + SEPARATOR.length;
    return metadata
      ? ([start, start + text.length, null, null, metadata] as const)
      : ([start, start + text.length, null, null] as const);
  });
  return { text: chunks.map(({ text }) => text).join(SEPARATOR), spans };
}

/** @throws RagmeshError DOCUMENT.CORRUPT or DOCUMENT.EMPTY when the stored bytes are not a list of chunks with text. */
export function parseReadyChunks(json: string): ReadyChunk[] {
  let chunks: unknown;
  try {
    chunks = JSON.parse(json);
  } catch (cause) {
    throw new RagmeshError('DOCUMENT.CORRUPT', 'The chunks are not valid JSON.', { field: 'chunks' }, { cause });
  }
  const valid =
    Array.isArray(chunks) && chunks.every((chunk: unknown) => typeof (chunk as ReadyChunk | null)?.text === 'string');
  if (!valid) throw new RagmeshError('DOCUMENT.CORRUPT', 'Each chunk must have a text.', { field: 'chunks' });
  const filled = (chunks as ReadyChunk[]).filter(({ text }) => text.trim() !== '');
  if (filled.length === 0)
    throw new RagmeshError('DOCUMENT.EMPTY', 'None of the chunks has text.', { field: 'chunks' });
  return filled;
}
