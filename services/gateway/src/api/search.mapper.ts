import type { MessageInitShape } from '@bufbuild/protobuf';
import type { generationV1, retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { z } from 'zod';
import type { citationSchema, completion, QueryInput, resultSchema, SearchInput } from './search.schema.js';

export const searchMessage = (input: SearchInput): MessageInitShape<typeof retrievalV1.SearchRequestSchema> => ({
  query: input.query,
  collection: input.collection,
  mode: input.mode,
  topK: input.top_k,
  filters: input.filters,
  alpha: input.alpha,
  minScore: input.min_score,
  rerank: input.rerank,
  expand: input.expand,
  explain: input.explain,
});

export const queryMessage = (input: QueryInput): MessageInitShape<typeof retrievalV1.QueryRequestSchema> => ({
  search: searchMessage(input),
  conversationId: input.conversation_id ?? '',
  temperature: input.temperature,
  maxTokens: input.max_tokens,
  model: input.model ?? '',
});

export function resultBody({ source, denseScore, lexicalScore }: retrievalV1.Result): z.input<typeof resultSchema> {
  if (!source) throw new RagmeshError('INTERNAL.UNEXPECTED', 'A search result came without its source.');
  return {
    id: source.id,
    document_id: source.documentId,
    version: Number(source.version),
    score: source.score,
    text: source.text,
    start: source.start,
    end: source.end,
    page: source.page ?? null,
    heading: source.heading ?? null,
    metadata: source.metadata ?? {},
    ...(denseScore === undefined ? {} : { dense_score: denseScore }),
    ...(lexicalScore === undefined ? {} : { lexical_score: lexicalScore }),
  };
}

export const citationBody = (citation: generationV1.Citation): z.input<typeof citationSchema> => ({
  index: citation.index,
  source: citation.source,
  document_id: citation.documentId,
  start: citation.start,
  end: citation.end,
  text: citation.text,
});

export const completionBody = (done: retrievalV1.Answered, requestId: string): z.input<typeof completion> => ({
  timings: done.timings,
  degraded: done.degraded,
  cached: done.cached,
  usage: done.usage ? { prompt_tokens: done.usage.promptTokens, completion_tokens: done.usage.completionTokens } : null,
  model: done.model,
  conversation_id: done.conversationId || null,
  request_id: requestId,
});
