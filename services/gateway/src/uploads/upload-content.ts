import type { MessageInitShape } from '@bufbuild/protobuf';
import { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { accessMessage } from '../api/access.schema.js';
import type { FormFields, JsonUpload } from '../api/document.schema.js';

/** What the document service is told of an upload before its bytes. */
export type UploadHeader = MessageInitShape<typeof documentV1.UploadHeaderSchema>;
export type UploadMessage = MessageInitShape<typeof documentV1.UploadRequestSchema>;

/** Where an upload goes: a new document, or a new version of one (`replace`). */
export interface Target {
  readonly id?: string | undefined;
  readonly replace: boolean;
  /** What repeats of the request share. */
  readonly seed?: string | undefined;
}

export interface UploadContent {
  readonly header: UploadHeader;
  readonly bytes: Buffer;
}

const PIECE_BYTES = 256 * 1024;

const headerOf = (fields: FormFields | JsonUpload, target: Target): UploadHeader => ({
  id: target.id ?? fields.id ?? '',
  replace: target.replace,
  seed: target.seed ?? '',
  collection: fields.collection,
  title: fields.title ?? '',
  metadata: fields.metadata,
  chunkSize: fields.chunk_size,
  chunkOverlap: fields.chunk_overlap,
  ...(fields.access === undefined ? {} : { access: accessMessage(fields.access) }),
});

/** Header of a file; its type is found by its content, so the client's Content-Type is not passed on. */
export const fileHeader = (fields: FormFields, target: Target, fileName: string): UploadHeader => ({
  ...headerOf(fields, target),
  fileName,
  kind: documentV1.UploadKind.FILE,
});

/** Content that came in the request itself: its text, or its ready-made chunks. */
export function jsonContent(upload: JsonUpload, target: Target): UploadContent {
  const header = headerOf(upload, target);
  return upload.text === undefined
    ? { header: { ...header, kind: documentV1.UploadKind.CHUNKS }, bytes: Buffer.from(JSON.stringify(upload.chunks)) }
    : { header: { ...header, kind: documentV1.UploadKind.TEXT }, bytes: Buffer.from(upload.text) };
}

/** The messages of an upload whose bytes are in memory. */
export async function* messagesOf({ header, bytes }: UploadContent): AsyncGenerator<UploadMessage> {
  yield { part: { case: 'header', value: header } };
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield { part: { case: 'data', value: bytes.subarray(start, start + PIECE_BYTES) } };
  }
  yield { part: { case: 'complete', value: true } };
}

/** @throws RagmeshError DOCUMENT.TOO_LARGE with the limit named. */
export function refuseTooLarge(bytes: number, limit: number, field: string): void {
  if (bytes > limit) throw tooLarge(limit, field);
}

export const tooLarge = (limit: number, field: string): RagmeshError =>
  new RagmeshError('DOCUMENT.TOO_LARGE', `The document in ${field} is larger than ${limit} bytes.`, { field, limit });
