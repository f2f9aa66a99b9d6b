import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { retrievalV1 } from '@ragmesh/contracts';
import { completionBlocks, newCompletion } from './chat-completion.js';

type Init = MessageInitShape<typeof retrievalV1.QueryResponseSchema>;

async function* answer(...events: Init[]): AsyncGenerator<retrievalV1.QueryResponse> {
  for (const event of events) yield create(retrievalV1.QueryResponseSchema, event);
}

async function blocksOf(events: AsyncIterable<retrievalV1.QueryResponse>, includeUsage: boolean): Promise<string[]> {
  const blocks: string[] = [];
  for await (const block of completionBlocks(newCompletion('ragmesh'), events, { includeUsage })) blocks.push(block);
  return blocks;
}

describe('a streamed completion', () => {
  it('of an answer that was cut off ends for its length, with every fallback named', async () => {
    const usage = { promptTokens: 2, completionTokens: 1 };
    const writingUsage = { promptTokens: 40, completionTokens: 10 }; // to understand the question, say
    const done = { incomplete: true, degraded: ['llm'], usage, writingUsage };
    const blocks = await blocksOf(
      answer(
        { event: { case: 'sources', value: { results: [] } } },
        { event: { case: 'delta', value: 'a\n\nb' } },
        { event: { case: 'done', value: done } },
      ),
      true,
    );
    expect(blocks).toHaveLength(5);
    for (const block of blocks) expect(block).toMatch(/^data: [^\n]+\n\n$/);
    expect(JSON.parse(blocks[2]!.slice(6))).toMatchObject({
      choices: [{ delta: {}, finish_reason: 'length' }],
      degraded: ['llm'],
      usage: null,
    });
    expect(JSON.parse(blocks[3]!.slice(6))).toMatchObject({ choices: [], usage: { total_tokens: 53 } });
    expect(blocks[4]).toBe('data: [DONE]\n\n');
  });
});
