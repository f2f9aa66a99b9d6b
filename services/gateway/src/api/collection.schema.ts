import { z } from 'zod';
import { accessSchema } from './access.schema.js';
import { metadataSchema } from './document.schema.js';
import { idSchema } from './paging.schema.js';
import { searchRequest } from './search.schema.js';

export const newCollection = z.strictObject({
  id: idSchema.optional(),
  title: z.string().max(1000).default(''),
  metadata: metadataSchema.optional(),
});

const share = z.number().min(0).max(1);

/** What searches of a collection take that say nothing else, as it is kept: a later release may know more ways to fuse. */
const retrievalDefaults = z
  .strictObject({
    mode: z.enum(['hybrid', 'dense', 'lexical']),
    top_k: z.int().min(1).max(100),
    alpha: share,
    min_score: share,
    fusion: z.string().max(40),
    mmr: share,
    rerank: z.boolean(),
    expand: z.boolean(),
    multi_query: z.boolean(),
    hyde: z.boolean(),
    self_check: z.boolean(),
    granularity: z.enum(['chunk', 'parent']),
  })
  .partial();

/** In approximate tokens. */
const chunking = z.strictObject({ size: z.int().min(32).max(2048), overlap: z.int().min(0).max(1024).default(0) });

/** A value that no search knows would switch all defaults of its collection off. */
const givenDefaults = retrievalDefaults.extend({ fusion: searchRequest.shape.fusion });

export const collectionChange = z.strictObject({
  title: z.string().min(1).max(1000).optional(),
  metadata: metadataSchema.optional(),
  defaults: givenDefaults.optional().describe('Replaces all defaults of searches'),
  chunking: chunking.nullable().optional().describe('How a reindex that says nothing else cuts documents'),
});

export const collectionSchema = z.object({
  id: z.string(),
  title: z.string(),
  metadata: metadataSchema,
  documents: z.int(),
  chunks: z.int(),
  defaults: retrievalDefaults,
  chunking: chunking.nullable(),
  access: accessSchema,
  created_at: z.string(),
});
