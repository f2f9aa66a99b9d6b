import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type { retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { z } from 'zod';
import { EXTRACTIVE } from '../api/language-model-names.js';
import { citationBody, resultBody } from '../api/search.mapper.js';
import type { WholeAnswer } from '../api/whole-answer.js';
import { encodeData } from '../http/event-stream.js';
import type { ApiQuery, RootQuery, apiAnswer, rootAnswer, rootEvent } from './query.schema.js';

type Query = MessageInitShape<typeof retrievalV1.QueryRequestSchema>;
type RootAnswer = z.input<typeof rootAnswer>;

/** Fields that are left out are as the collection has them. */
export const rootMessage = (input: RootQuery): Query => ({
  search: {
    query: input.query,
    collection: 'default',
    topK: input.top_k ?? 0,
    filters: (input.filters as JsonObject | null | undefined) ?? undefined,
    rerank: input.rerank ?? undefined,
  },
  temperature: input.temperature ?? undefined,
  conversationId: input.conversation_id ?? '',
});

export const apiMessage = (input: ApiQuery): Query => ({
  search: {
    query: input.question ?? input.query ?? '',
    collection: input.collection ?? 'default',
    topK: input.top_k ?? 0,
    filters: (input.filters as JsonObject | null | undefined) ?? undefined,
    minScore: input.min_score ?? undefined,
  },
  conversationId: input.conversation_id ?? '',
});

/**
 * Where a source stands goes into its metadata: these clients have no other place for it. The document's own fields of these
 * names give way, so that nobody who writes a document can forge what names it; its own page and heading only where ragmesh knows
 * one.
 */
function rootSource(result: retrievalV1.Result): RootAnswer['sources'][number] {
  const { id, text, score, metadata, document_id, version, start, end, page, heading } = resultBody(result);
  const known = { ...(page === null ? {} : { page }), ...(heading === null ? {} : { heading }) };
  const place = { document_id, version, start, end, ...known };
  return { id, text, content: text, score, metadata: { page, heading, ...metadata, ...place } };
}

export const rootBody = ({ text, results, done }: WholeAnswer, latencyMs: number): RootAnswer => ({
  answer: text,
  sources: results.map(rootSource),
  latency_ms: Math.round(latencyMs * 10) / 10,
  cache_hit: done.cached,
  cached: done.cached,
});

const block = (event: z.input<typeof rootEvent>): string => encodeData(event);

/**
 * The answer as `/query/stream` tells it.
 * @throws RagmeshError GENERATION.UNAVAILABLE at the end of an answer whose model broke off.
 */
export async function* rootBlocks(events: AsyncIterable<retrievalV1.QueryResponse>): AsyncGenerator<string, void> {
  for await (const { event } of events) {
    if (event.case === 'sources') {
      const data = event.value.results.map(resultBody).map(({ id, score }) => ({ id, score }));
      yield block({ type: 'sources', data });
    } else if (event.case === 'delta') yield block({ type: 'content', text: event.value });
    else if (event.case === 'done') {
      // One that is as long as answers may be is how it was wished for; one whose model broke off is not.
      if (event.value.incomplete && !event.value.shortened) throw cutOff();
      yield block({ type: 'done' });
    }
  }
}

/** These clients have no word for an answer that is not whole. */
const cutOff = (): RagmeshError =>
  new RagmeshError('GENERATION.UNAVAILABLE', 'The answer is not whole: its language model was cut off.');

/** Whether no language model had a part in an answer, and none failed to: there is none, or it was not asked for want of sources. */
export const isWithoutModel = ({ done: { model, degraded } }: WholeAnswer): boolean =>
  model === EXTRACTIVE && !degraded.includes('llm');

/** @param isDisabled whether no language model is configured. */
export function apiBody(answer: WholeAnswer, isDisabled: boolean, requestId: string): z.input<typeof apiAnswer> {
  const { text, results, citations, done } = answer;
  return {
    answer: isDisabled ? null : text,
    sources: results.map(resultBody).map((source) => ({
      id: source.id,
      document_id: source.document_id,
      text: source.text,
      score: source.score,
      page: source.page,
      metadata: source.metadata,
    })),
    citations: isDisabled ? [] : citations.map(citationBody),
    timings: done.timings,
    degraded: done.degraded,
    incomplete: done.incomplete,
    request_id: requestId,
  };
}
