import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { documentV1 } from '@ragmesh/contracts';
import type { z } from 'zod';
import { accessBody } from './access.schema.js';
import type {
  acceptedDocument,
  documentChunk,
  documentSchema,
  operationSchema,
  timelineSchema,
} from './document.schema.js';

const time = (at: Timestamp | undefined): string | null => (at ? timestampDate(at).toISOString() : null);

const errorOf = (error: documentV1.DocumentError | undefined) =>
  error ? { code: error.code, message: error.message, help: error.help, retryable: error.retryable } : null;

/** Where a client follows what it was promised with a 202. */
export const operationLink = (id: string) => ({ id, href: `/v1/operations/${encodeURIComponent(id)}` });

export const acceptedBody = (accepted: documentV1.UploadResponse): z.input<typeof acceptedDocument> => ({
  id: accepted.id,
  version: Number(accepted.version),
  status: accepted.status,
  deduplicated: accepted.deduplicated,
  operation: operationLink(accepted.operationId),
});

export const documentBody = (document: documentV1.Document): z.input<typeof documentSchema> => ({
  id: document.id,
  collection: document.collection,
  title: document.title,
  status: document.status as z.input<typeof documentSchema>['status'],
  stage: document.stage,
  progress: document.progress,
  attempt: document.attempt,
  version: Number(document.version),
  error: errorOf(document.error),
  metadata: document.metadata ?? {},
  media_type: document.mediaType,
  size_bytes: Number(document.sizeBytes),
  sha256: document.sha256,
  chunks: document.chunks,
  access: accessBody(document.access),
  created_at: time(document.createdAt) ?? '',
  updated_at: time(document.updatedAt) ?? '',
});

export const chunkBody = (chunk: documentV1.DocumentChunk): z.input<typeof documentChunk> => ({
  id: chunk.id,
  ordinal: chunk.ordinal,
  text: chunk.text,
  start: chunk.start,
  end: chunk.end,
  page: chunk.page ?? null,
  heading: chunk.heading ?? null,
  metadata: chunk.metadata ?? {},
});

export const timelineBody = (timeline: documentV1.Timeline): z.input<typeof timelineSchema> => ({
  document_id: timeline.documentId,
  trace_id: timeline.traceId,
  steps: timeline.steps.map(({ saga, step, status, attempt, version, detail, at }) => ({
    saga,
    step,
    status,
    attempt: attempt || null,
    version: Number(version),
    detail,
    at: time(at),
  })),
});

export const operationBody = (operation: documentV1.Operation): z.input<typeof operationSchema> => ({
  id: operation.id,
  kind: operation.kind,
  document_id: operation.documentId,
  version: Number(operation.version),
  status: operation.status as z.input<typeof operationSchema>['status'],
  stage: operation.stage,
  progress: operation.progress,
  done: operation.done,
  error: errorOf(operation.error),
  receipt: operation.receipt ?? null,
});
