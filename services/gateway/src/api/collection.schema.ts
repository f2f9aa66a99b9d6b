import { z } from 'zod';
import { idSchema } from './paging.schema.js';

const metadata = z.record(z.string().max(200), z.json());

export const newCollection = z.strictObject({
  id: idSchema.optional(),
  title: z.string().max(1000).default(''),
  metadata: metadata.optional(),
});

export const collectionSchema = z.object({
  id: z.string(),
  title: z.string(),
  metadata,
  documents: z.int(),
  chunks: z.int(),
  created_at: z.string(),
});
