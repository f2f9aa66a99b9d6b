import { z } from 'zod';
import { metadataSchema } from '../api/document.schema.js';
import { idSchema, printableIdSchema } from '../api/paging.schema.js';

const MAX_DOCUMENTS = 1_000;
const CHUNK_SIZE = 512;
const OVERLAP = 50;

const indexDocument = z.object({
  id: printableIdSchema.optional().describe('As of /v1/documents; one that cannot be taken fails its document only'),
  text: z.string().min(1),
  metadata: metadataSchema.nullish(),
});
export type IndexDocument = z.output<typeof indexDocument>;

/** Body of `/index`. */
export const indexRequest = z
  .object({
    documents: z.array(indexDocument).min(1).max(MAX_DOCUMENTS),
    chunk_size: z.number().int().min(32).max(2048).default(CHUNK_SIZE).describe('Length of a chunk in tokens'),
    overlap: z.number().int().min(0).optional().describe(`Tokens shared by neighbouring chunks, ${OVERLAP} by default`),
    collection: idSchema.default('default'),
  })
  .superRefine((input, context) => {
    if (input.overlap !== undefined && input.overlap * 2 >= input.chunk_size) {
      const message = `Field overlap must be less than half of chunk_size (${input.chunk_size}).`;
      context.addIssue({ code: 'custom', path: ['overlap'], message });
    }
    const seen = new Set<string>();
    for (const [index, { id }] of input.documents.entries()) {
      if (id === undefined) continue;
      const message = `Field documents[${index}].id is given to an earlier document, too.`;
      if (seen.has(id)) context.addIssue({ code: 'custom', path: ['documents', index, 'id'], message });
      seen.add(id);
    }
  });
export type IndexInput = z.output<typeof indexRequest>;

/** The overlap asked for; the usual one where nothing is, less where chunks are short. */
export const overlapOf = ({ overlap, chunk_size: size }: IndexInput): number =>
  overlap ?? Math.min(OVERLAP, Math.ceil(size / 2) - 1);

export const indexAnswer = z.object({
  indexed: z
    .int()
    .describe('Documents that can be searched now; equal texts without an id are one, counted as often as it was sent'),
  failed: z.int(),
  pending: z.int().describe('Documents still being worked on when the time was up; see /v1/documents/{id}'),
  chunks: z.int().describe('Chunks of the indexed documents, those of equal texts once'),
  ids: z.array(z.string().nullable()).describe('Of the documents in their order; null where one was refused'),
  errors: z.array(z.object({ index: z.int(), id: z.string().nullable(), code: z.string(), message: z.string() })),
});
