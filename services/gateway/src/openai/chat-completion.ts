import { randomUUID } from 'node:crypto';
import type { generationV1, retrievalV1 } from '@ragmesh/contracts';
import type { z } from 'zod';
import { citationBody, resultBody } from '../api/search.mapper.js';
import { answerUsage } from '../api/spent-usage.js';
import type { WholeAnswer } from '../api/whole-answer.js';
import { encodeData } from '../http/event-stream.js';
import type { chatChunk, chatCompletion, usageSchema } from './chat.schema.js';

type Completion = z.input<typeof chatCompletion>;
type Chunk = z.input<typeof chatChunk>;
type Usage = z.input<typeof usageSchema>;

/** The last block of a streamed completion. */
const DONE = 'data: [DONE]\n\n';

/** What every part of one completion shares. */
export interface CompletionHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

export const newCompletion = (model: string): CompletionHead => ({
  id: `chatcmpl-${randomUUID().replaceAll('-', '')}`,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** An answer its provider cut off reads like one that met the limit of tokens: it is not whole. */
const finishReason = ({ incomplete }: retrievalV1.Answered): 'stop' | 'length' => (incomplete ? 'length' : 'stop');

function usageBody(done: retrievalV1.Answered): Usage {
  const { prompt_tokens, completion_tokens } = answerUsage(done) ?? { prompt_tokens: 0, completion_tokens: 0 };
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

/** The answer as one body. */
export function completionBody(head: CompletionHead, answer: WholeAnswer): Completion {
  const { text, results, citations, done } = answer;
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: finishReason(done),
      },
    ],
    usage: usageBody(done),
    system_fingerprint: null,
    sources: results.map(resultBody),
    citations: citations.map(citationBody),
    degraded: done.degraded,
  };
}

/** The answer as events: the role with the sources, the text, the end with the citations, and the usage when asked for. */
export async function* completionBlocks(
  head: CompletionHead,
  answer: AsyncIterable<retrievalV1.QueryResponse>,
  { includeUsage }: { readonly includeUsage: boolean },
): AsyncGenerator<string, void> {
  const frame = { id: head.id, object: 'chat.completion.chunk', created: head.created, model: head.model } as const;
  const block = (choices: Chunk['choices'], more: Partial<Chunk> = {}): string => {
    const usage = includeUsage ? { usage: null } : {};
    return encodeData({ ...frame, choices, ...usage, system_fingerprint: null, ...more } satisfies Chunk);
  };
  const citations: generationV1.Citation[] = [];
  for await (const { event } of answer) {
    if (event.case === 'sources') {
      const sources = event.value.results.map(resultBody);
      yield block([choice({ role: 'assistant', content: '' })], { sources });
    } else if (event.case === 'delta') yield block([choice({ content: event.value })]);
    else if (event.case === 'citation') citations.push(event.value);
    else if (event.case === 'done') {
      const { degraded } = event.value;
      const end = choice({}, finishReason(event.value));
      yield block([end], { citations: citations.map(citationBody), degraded });
      if (includeUsage) yield block([], { usage: usageBody(event.value) });
    }
  }
  yield DONE;
}

const choice = (
  delta: Chunk['choices'][number]['delta'],
  finish: 'stop' | 'length' | null = null,
): Chunk['choices'][number] => ({ index: 0, delta, logprobs: null, finish_reason: finish });
