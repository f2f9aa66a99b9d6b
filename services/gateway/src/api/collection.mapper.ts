import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { knowledgeV1 } from '@ragmesh/contracts';
import type { z } from 'zod';
import { accessBody } from './access.schema.js';
import type { collectionChange, collectionSchema } from './collection.schema.js';

type CollectionBody = z.input<typeof collectionSchema>;
type Update = MessageInitShape<typeof knowledgeV1.UpdateCollectionRequestSchema>;

export const collectionBody = (collection: knowledgeV1.Collection): CollectionBody => ({
  id: collection.id,
  title: collection.title,
  metadata: collection.metadata ?? {},
  documents: Number(collection.documents),
  chunks: Number(collection.chunks),
  defaults: defaultsBody(collection.defaults),
  chunking: collection.chunking ? { size: collection.chunking.size, overlap: collection.chunking.overlap } : null,
  access: accessBody(collection.access),
  created_at: collection.createdAt ? timestampDate(collection.createdAt).toISOString() : '',
});

function defaultsBody(defaults: knowledgeV1.RetrievalDefaults | undefined): CollectionBody['defaults'] {
  if (!defaults) return {};
  const { mode, alpha, fusion, mmr, rerank, expand, hyde, granularity } = defaults;
  const named = { mode, alpha, fusion, mmr, rerank, expand, hyde, granularity };
  const { topK: top_k, minScore: min_score, multiQuery: multi_query, selfCheck: self_check } = defaults;
  const body = { ...named, top_k, min_score, multi_query, self_check };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** The settings a change names. */
export function settingsOf({
  defaults,
  chunking,
}: z.output<typeof collectionChange>): Pick<Update, 'defaults' | 'chunking'> {
  return {
    ...(defaults && { defaults: defaultsOf(defaults) }),
    ...(chunking !== undefined && { chunking: chunking ?? {} }),
  };
}

function defaultsOf({
  top_k,
  min_score,
  multi_query,
  self_check,
  ...named
}: NonNullable<z.output<typeof collectionChange>['defaults']>): NonNullable<Update['defaults']> {
  const all = { ...named, topK: top_k, minScore: min_score, multiQuery: multi_query, selfCheck: self_check };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
