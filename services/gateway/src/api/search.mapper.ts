import type { MessageInitShape } from '@bufbuild/protobuf';
import type { generationV1, retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { z } from 'zod';
import type {
  citationSchema,
  completion,
  QueryInput,
  resultSchema,
  searchAnswer,
  SearchInput,
} from './search.schema.js';
import { answerUsage } from './spent-usage.js';

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
  fusion: input.fusion,
  mmr: input.mmr,
  multiQuery: input.multi_query,
  hyde: input.hyde,
  selfCheck: input.self_check,
  granularity: input.granularity,
});

export const queryMessage = (input: QueryInput): MessageInitShape<typeof retrievalV1.QueryRequestSchema> => ({
  search: searchMessage(input),
  conversationId: input.conversation_id ?? '',
  temperature: input.temperature,
  maxTokens: input.max_tokens,
  model: input.model ?? '',
});

export function resultBody({ source, ...why }: retrievalV1.Result): z.input<typeof resultSchema> {
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
    ...(why.denseScore === undefined ? {} : { dense_score: why.denseScore }),
    ...(why.lexicalScore === undefined ? {} : { lexical_score: why.lexicalScore }),
    ...(why.denseRank === undefined ? {} : { dense_rank: why.denseRank }),
    ...(why.lexicalRank === undefined ? {} : { lexical_rank: why.lexicalRank }),
    ...(why.fusedScore === undefined ? {} : { fused_score: why.fusedScore }),
    ...(why.rerankScore === undefined ? {} : { rerank_score: why.rerankScore }),
  };
}

/** The field `dropped` of an explained search; without one it has none. */
export function droppedBody(input: Pick<SearchInput, 'explain'>, dropped: readonly retrievalV1.Dropped[]): DroppedBody {
  if (!input.explain) return {};
  const body = dropped.map(({ id, documentId, version, score, reason }) => ({
    id,
    document_id: documentId,
    version: Number(version),
    score,
    reason: reason as DropReason,
  }));
  return { dropped: body };
}

type DroppedBody = Pick<z.input<typeof searchAnswer>, 'dropped'>;
type DropReason = NonNullable<DroppedBody['dropped']>[number]['reason'];

/** The field `supported` of a checked search or answer: null when it was asked for and could not be said. */
export const supportedBody = (
  input: Pick<SearchInput, 'self_check'>,
  supported: boolean | undefined,
): { supported?: boolean | null } =>
  supported !== undefined ? { supported } : input.self_check ? { supported: null } : {};

export const citationBody = (citation: generationV1.Citation): z.input<typeof citationSchema> => ({
  index: citation.index,
  source: citation.source,
  document_id: citation.documentId,
  start: citation.start,
  end: citation.end,
  text: citation.text,
});

export const completionBody = (
  done: retrievalV1.Answered,
  requestId: string,
  input: Pick<SearchInput, 'self_check'> = {},
): z.input<typeof completion> => ({
  timings: done.timings,
  degraded: done.degraded,
  cached: done.cached,
  incomplete: done.incomplete,
  fallback_used: done.fallbackUsed,
  ...supportedBody(input, done.supported),
  usage: answerUsage(done),
  model: done.model,
  conversation_id: done.conversationId || null,
  request_id: requestId,
});
