import { z } from 'zod';
import { MAX_FIELD_DEPTH, fieldTooDeep } from '../http/json-body.js';
import { isNestedDeeperThan } from '../http/json-scan.js';
import { refuseUnstorable } from '../http/storable-values.js';
import { accessSchema } from './access.schema.js';
import { endOffset, startOffset } from './offset.schema.js';
import { idSchema, pageQuery } from './paging.schema.js';

/** Fields of a document go with each batch of its chunks, those of a chunk with it: both have to fit on the bus. */
const MOST_METADATA = 65_536;

/** Files of one form. */
export const MOST_FILES = 100;

export const metadataSchema = z
  .record(z.string().max(200), z.json())
  .superRefine((fields, context) => {
    if (JSON.stringify(fields).length <= MOST_METADATA) return;
    context.addIssue({ code: 'too_big', origin: 'string', maximum: MOST_METADATA, input: fields });
  })
  .describe(`Free fields, for filters and citations; as JSON at most ${MOST_METADATA} characters`);

const chunkSchema = z.strictObject({
  text: z.string().min(1).max(100_000),
  metadata: metadataSchema.optional(),
});

const title = z.string().min(1).max(1000);
const chunkSize = z.number().int().min(32).max(2048).describe('Length of a chunk in tokens');
const chunkOverlap = z
  .number()
  .int()
  .min(0)
  .max(1023)
  .describe('Tokens shared by neighbouring chunks, under half of chunk_size');

/** What an upload may say about its document, in any media type. */
export const uploadFields = {
  id: idSchema.optional(),
  collection: idSchema.default('default'),
  title: title.optional(),
  metadata: metadataSchema.optional(),
  chunk_size: chunkSize.optional(),
  chunk_overlap: chunkOverlap.optional(),
  access: accessSchema.optional(),
};

interface Chunking {
  readonly chunk_size?: number | undefined;
  readonly chunk_overlap?: number | undefined;
}

/** Half a chunk of overlap would store every text twice. */
export function refuseWideOverlap(input: Chunking, context: z.RefinementCtx): void {
  if (input.chunk_overlap === undefined || input.chunk_size === undefined) return;
  if (input.chunk_overlap * 2 < input.chunk_size) return;
  const message = `Field chunk_overlap must be less than half of chunk_size (${input.chunk_size}).`;
  context.addIssue({ code: 'custom', path: ['chunk_overlap'], message });
}

const listOf = (names: readonly string[]): string => names.join(', ').replace(/, (?=[^,]*$)/, ' and ');

/** JSON upload: exactly one of text, url and chunks. */
export const jsonUpload = z
  .strictObject({
    ...uploadFields,
    text: z.string().min(1).optional(),
    url: z
      .url()
      .max(2000)
      .optional()
      .describe('http or https address, fetched while the request waits; kept as metadata.source_url'),
    chunks: z.array(chunkSchema).min(1).max(10_000).optional(),
  })
  .superRefine((input, context) => {
    const given = (['text', 'url', 'chunks'] as const).filter((name) => input[name] !== undefined);
    if (given.length !== 1) {
      const message = `Exactly one of text, url and chunks must be given; ${given.length === 0 ? 'none was' : `${listOf(given)} were`}.`;
      context.addIssue({ code: 'custom', path: [given[1] ?? 'text'], message });
    }
    refuseWideOverlap(input, context);
  });
export type JsonUpload = z.output<typeof jsonUpload>;

const decimal = z
  .string()
  .regex(/^\d{1,6}$/, 'it must be a whole number')
  .transform(Number);
/**
 * JSON in a form's text. Refused before it is parsed when it nests too deeply: behind the edge it is a message whose nesting
 * is bounded, and one that cannot be read would take every answer with it that holds the document.
 */
const jsonText = (name: string, what: string) =>
  z
    .string()
    .max(MOST_METADATA)
    .transform((text, context): unknown => {
      if (isNestedDeeperThan(Buffer.from(text), MAX_FIELD_DEPTH)) throw fieldTooDeep(name);
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: `Field ${name} must be a JSON ${what}.` });
        return z.NEVER;
      }
      refuseUnstorable(value, name);
      return value;
    });

/** The fields of a multipart upload, which arrive as text. */
export const formFields = z
  .strictObject({
    ...uploadFields,
    metadata: jsonText('metadata', 'object').pipe(metadataSchema).optional(),
    access: jsonText('access', 'array').pipe(accessSchema).optional(),
    chunk_size: decimal.pipe(chunkSize).optional(),
    chunk_overlap: decimal.pipe(chunkOverlap).optional(),
  })
  .superRefine(refuseWideOverlap);
export type FormFields = z.output<typeof formFields>;

/** The form as the API document shows it. */
export const uploadForm = z.object({
  ...uploadFields,
  metadata: z.string().optional().describe('JSON object'),
  access: z.string().optional().describe('JSON array of principals'),
  file: z.array(z.file()).min(1).max(MOST_FILES).describe('One or many files, after all other fields'),
});

export const listDocumentsQuery = pageQuery.extend({
  collection: z.string().max(200).default(''),
  status: z.enum(['uploaded', 'processing', 'ready', 'failed', 'deleting']).optional(),
});
export const getDocumentQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(60).default(0).describe('Seconds to wait for a terminal state'),
});
export const contentQuery = z.strictObject({
  as: z.enum(['text']).optional().describe('`text`: the canonical text that offsets refer to, in UTF-8'),
});
export const contentHeaders = z.object({
  'if-none-match': z.string().optional().describe('`ETag` of content that is there already'),
});
export const uploadHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('Same key and same request: the same response again, for 24 hours'),
});

const errorSchema = z.object({ code: z.string(), message: z.string(), help: z.string(), retryable: z.boolean() });
export const operationRef = z.object({ id: z.string(), href: z.string() });

export const acceptedDocument = z.object({
  id: z.string(),
  version: z.int(),
  status: z.string(),
  deduplicated: z
    .boolean()
    .describe(
      'The same bytes are there already: `id` is that document as it is; title and metadata of this upload are not taken',
    ),
  operation: operationRef,
});
export const acceptedDocuments = z.union([
  acceptedDocument,
  z.object({
    documents: z.array(z.union([acceptedDocument, z.object({ file_name: z.string(), error: errorSchema })])),
  }),
]);

export const documentSchema = z.object({
  id: z.string(),
  collection: z.string(),
  title: z.string(),
  status: z.enum(['uploaded', 'processing', 'ready', 'failed', 'deleting', 'deleted']),
  stage: z.string(),
  progress: z.number(),
  attempt: z.int(),
  version: z.int(),
  error: errorSchema.nullable(),
  metadata: metadataSchema,
  media_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  chunks: z.int(),
  access: accessSchema,
  created_at: z.string(),
  updated_at: z.string(),
});

export const documentChunk = z.object({
  id: z.string(),
  ordinal: z.int(),
  text: z.string(),
  start: startOffset,
  end: endOffset,
  page: z.int().nullable(),
  heading: z.string().nullable(),
  metadata: metadataSchema,
});

export const timelineSchema = z.object({
  document_id: z.string(),
  trace_id: z.string(),
  steps: z.array(
    z.object({
      saga: z.string(),
      step: z.string(),
      status: z.string(),
      attempt: z
        .int()
        .nullable()
        .describe('Which attempt at its upload `version` is; null for versions before the newest upload'),
      version: z.int(),
      detail: z.string(),
      at: z.string().nullable(),
    }),
  ),
});

export const operationSchema = z.object({
  id: z.string(),
  kind: z.string(),
  document_id: z.string(),
  version: z.int(),
  status: z
    .enum(['uploaded', 'processing', 'ready', 'failed', 'deleting', 'deleted', 'superseded'])
    .describe('`superseded`: a newer version was uploaded before readers saw this one'),
  stage: z.string(),
  progress: z.number().describe('0 to 1; 1 only once it is ready or deleted'),
  done: z.boolean(),
  error: errorSchema.nullable(),
  receipt: z.record(z.string(), z.json()).nullable(),
});
export const deletingDocument = z.object({ id: z.string(), status: z.literal('deleting'), operation: operationRef });
export const retriedDocument = z.object({
  id: z.string(),
  version: z.int(),
  status: z.string(),
  operation: operationRef,
});
